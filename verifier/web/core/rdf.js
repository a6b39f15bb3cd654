// Canonical N-Quads of a document (JSON-LD, RDFC-1.0), by the library, over bundled contexts alone.
//
// JSON-LD drops what it cannot interpret; what is dropped is not signed, so it is refused first, as
// credentials/rdf/admission.py does.
import { isObject } from "./canonical.js";
import { Fault } from "./errors.js";

const MOST_VALUES = 5000;
const LIST_ITEM = 5;
const MOST_DEPTH = 48;
const SMALLEST = 1e-6;
const KEYWORDS = ["@context", "@direction", "@id", "@language", "@list", "@set", "@type", "@value"];
const NO_CHARACTER = /[\uFFFE\uFFFF]|\p{Cs}/u;

/** A function from documents to their canonical N-Quads; `contexts` are JSON by URL. */
export function canonicaliser(load, contexts) {
  return async (document) => {
    admit(document, contexts);
    const { default: jsonld } = await load();
    const documentLoader = async (url) => {
      if (!Object.hasOwn(contexts, url)) throw new Fault(`the JSON-LD context ${url.slice(0, 120)} is not one that is known here`);
      return { contextUrl: null, documentUrl: url, document: contexts[url] };
    };
    try {
      return await jsonld.canonize(document, {
        algorithm: "RDFC-1.0", format: "application/n-quads", safe: true, documentLoader,
        canonizeOptions: { maxWorkFactor: 2 },
      });
    } catch (error) {
      throw new Fault(`the document has no canonical form in RDF: ${String(error.message).split("\n")[0].slice(0, 120)}`);
    }
  };
}

function admit(document, contexts) {
  let budget = MOST_VALUES;
  let level = [document];
  for (let depth = 0; depth < MOST_DEPTH && level.length; depth++) {
    for (const value of level) budget -= Array.isArray(value) ? LIST_ITEM * value.length : 1;
    level = level.flatMap((value) => children(value, contexts));
    if (level.length > budget) throw new Fault(`the document holds more than ${MOST_VALUES} values`);
  }
  if (level.length) throw new Fault(`the document is nested deeper than ${MOST_DEPTH} levels`);
}

function children(value, contexts) {
  if (Array.isArray(value)) {
    if (value.includes(null)) throw new Fault("a list holds null: JSON-LD ignores it, a signature would too");
    return value;
  }
  if (isObject(value))
    return Object.entries(value).flatMap(([name, item]) => {
      // The library loses a member of this name unsigned, where others refuse it as no known term.
      if (NO_CHARACTER.test(name) || name === "__proto__")
        throw new Fault(`${name.slice(0, 120)} cannot name a member`);
      if (name.startsWith("@") && !KEYWORDS.includes(name))
        throw new Fault(`the keyword ${name.slice(0, 120)} is unknown, or not covered by signatures`);
      if (item === null) throw new Fault(`${name.slice(0, 120)} is null: JSON-LD ignores it, a signature would too`);
      if (name !== "@context") return [item];
      for (const entry of Array.isArray(item) ? item : [item])
        if (typeof entry !== "string" || !Object.hasOwn(contexts, entry))
          throw new Fault("a JSON-LD context is not one that is known here");
      return [];
    });
  if (typeof value === "string" && NO_CHARACTER.test(value))
    throw new Fault("a text holds a code point that is no character");
  if (typeof value === "number") checkNumber(value);
  return [];
}

/** RDF keeps 16 digits of a fraction: two numbers that it writes alike would be signed alike. */
function checkNumber(value) {
  if (Number.isInteger(value)) {
    if (!Number.isSafeInteger(value)) throw new Fault(`the number ${value} is beyond 2^53 and not exact in JSON`);
  } else if (Math.abs(value) < SMALLEST || Number(value.toExponential(15)) !== value)
    throw new Fault(`the number ${value} has digits that a signature would not cover`);
}
