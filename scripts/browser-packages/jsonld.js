export { default } from "jsonld";
