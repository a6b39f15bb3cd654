export { Point } from "@noble/ed25519";
export { sha256, sha512 } from "@noble/hashes/sha2.js";
export { ml_dsa44 } from "@noble/post-quantum/ml-dsa.js";
