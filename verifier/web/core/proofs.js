// Data Integrity proofs by Ed25519 keys, in JCS and RDF form (VC Data Integrity EdDSA 1.0).
import { base58, concat, fromBase58, utf8 } from "./bytes.js";
import { encode, isObject, without } from "./canonical.js";
import { fromMultikey } from "./ed25519.js";
import { Fault } from "./errors.js";
import { parseMoment } from "./moment.js";
import { sha256 } from "../vendor/noble.js";

const JCS = "eddsa-jcs-2022";
const RDFC = "eddsa-rdfc-2022";
const ED25519_2020 = "Ed25519Signature2020";
const OF_OTHER_KEYS = ["ecdsa-rdfc-2019", "ecdsa-jcs-2019"];
const FIELDS = [
  "@context", "challenge", "created", "cryptosuite", "domain", "expires", "id", "nonce", "previousProof",
  "proofPurpose", "proofValue", "type", "verificationMethod",
];
const MOST_PROOFS = 8;
const PURPOSE = "assertionMethod";

/**
 * What became of each proof: {suite, method, created, expires, understood, error}.
 *
 * The caller decides: a document is good only if one passed and none failed. `canonicalise` gives a
 * document's canonical N-Quads. Fault if there are no proofs at all, or too many.
 */
export async function verifyProofs(document, canonicalise) {
  const proofs = Array.isArray(document.proof) ? document.proof : [document.proof];
  if (!Object.hasOwn(document, "proof") || proofs.length < 1 || proofs.length > MOST_PROOFS)
    throw new Fault(`the document carries no proof, or more than ${MOST_PROOFS}`);
  const unsecured = without(document, "proof");
  const results = [];
  for (const proof of proofs) results.push(await resultOf(proof, proofs, unsecured, canonicalise));
  return afterPrevious(proofs, results);
}

async function resultOf(proof, proofs, unsecured, canonicalise) {
  if (!isObject(proof))
    return { suite: "", method: "", created: "", expires: "", understood: true, error: "a proof is not an object" };
  const suite = suiteOf(proof);
  let error = null;
  if (suite)
    try {
      await check(proof, suite, proofs, unsecured, canonicalise);
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      error = fault.message;
    }
  return {
    suite: suite || textOf(proof, "cryptosuite") || textOf(proof, "type"),
    method: textOf(proof, "verificationMethod"),
    created: textOf(proof, "created"),
    expires: textOf(proof, "expires"),
    understood: Boolean(suite),
    error,
  };
}

async function check(proof, suite, proofs, unsecured, canonicalise) {
  const unknown = Object.keys(proof).sort().find((name) => !FIELDS.includes(name));
  if (unknown !== undefined) throw new Fault(`the proof has a field that is not understood: ${unknown.slice(0, 40)}`);
  for (const field of ["challenge", "id", "nonce"])
    if (Object.hasOwn(proof, field) && typeof proof[field] !== "string") throw new Fault(`the proof's ${field} is not text`);
  if (proof.proofPurpose !== PURPOSE) throw new Fault(`the proof is for ${encode(proof.proofPurpose ?? null)}, not ${PURPOSE}`);
  for (const field of ["created", "expires"])
    if (Object.hasOwn(proof, field)) parseMoment(textOf(proof, field), field);
  // An entry added to @context after signing changes what the document means (section 3.3.2, step 4).
  if (Object.hasOwn(proof, "@context") && encode(proof["@context"]) !== encode(unsecured["@context"] ?? null))
    throw new Fault("the document's @context is not the one that was signed");
  const value = proof.proofValue;
  if (typeof value !== "string" || !value.startsWith("z")) throw new Fault("the proof value is not base58btc multibase");
  const signature = fromBase58(value.slice(1));
  if (`z${base58(signature)}` !== value) throw new Fault("the proof value is not in its one base58btc form");
  const key = keyOf(textOf(proof, "verificationMethod"));
  if (OF_OTHER_KEYS.includes(suite)) throw new Fault(`a key of Ed25519 makes no proof of ${suite}`);
  const secured = { ...unsecured, ...previous(proof, proofs) };
  await key.verify(await toSign(secured, without(proof, "proofValue"), suite, canonicalise), signature);
}

function keyOf(method) {
  try {
    return fromMultikey(method.includes("#") ? method.slice(method.indexOf("#") + 1) : "");
  } catch (fault) {
    throw new Fault(`the verification method ${method.slice(0, 100)} names no key: ${fault.message}`);
  }
}

async function toSign(secured, options, suite, canonicalise) {
  const parts =
    suite === JCS
      ? [encode(options), encode(secured)]
      : [
          await canonicalise({ ...options, "@context": secured["@context"] ?? null }),
          await canonicalise(secured),
        ];
  return concat(...parts.map((part) => sha256(utf8(part))));
}

/** The proofs this one was added to, as part of what it signs (VC Data Integrity 1.0, 4.3). */
function previous(proof, proofs) {
  if (!Object.hasOwn(proof, "previousProof")) return {};
  const known = proofs.filter((other) => isObject(other) && other !== proof);
  const names = namesIn(proof);
  for (const name of names)
    if (!known.some((other) => other.id === name))
      throw new Fault(`there is no earlier proof ${name.slice(0, 80)}, which a proof builds on`);
  return { proof: known.filter((other) => names.includes(other.id)) };
}

function namesIn(proof) {
  const items = Array.isArray(proof.previousProof) ? proof.previousProof : [proof.previousProof];
  if (!items.length || items.some((name) => typeof name !== "string" || !name))
    throw new Fault("a proof's previousProof is not the id of a proof, or a list of them");
  return items;
}

/** A proof is verified only if those it builds on are (section 4.5). */
function afterPrevious(proofs, results) {
  for (let round = 0; round < proofs.length; round++) {
    const bad = proofs.filter((proof, place) => isObject(proof) && !passed(results[place])).map((proof) => proof.id);
    results = results.map((result, place) => {
      if (!passed(result) || !Object.hasOwn(proofs[place], "previousProof")) return result;
      const fallen = namesIn(proofs[place]).find((name) => bad.includes(name));
      return fallen === undefined
        ? result
        : { ...result, error: `the proof ${fallen.slice(0, 80)}, on which it builds, does not verify` };
    });
  }
  return results;
}

export const passed = (result) => result.understood && result.error === null;

function suiteOf(proof) {
  const suite = textOf(proof, "cryptosuite");
  if (proof.type === ED25519_2020 && !Object.hasOwn(proof, "cryptosuite")) return ED25519_2020;
  return proof.type === "DataIntegrityProof" && [JCS, RDFC, ...OF_OTHER_KEYS].includes(suite) ? suite : "";
}

function textOf(proof, field) {
  return typeof proof[field] === "string" ? proof[field] : "";
}
