// Runs parts of the verifier page's core over vectors: one JSON task a line in, one answer a line out.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { base64, fromBase64 } from "../../verifier/web/core/bytes.js";
import { encode, parse, parseExact } from "../../verifier/web/core/canonical.js";
import { Fault, Unreadable } from "../../verifier/web/core/errors.js";
import { openNote, parseVerifierKey } from "../../verifier/web/core/note.js";
import { verifyProofs } from "../../verifier/web/core/proofs.js";
import { fromDigits } from "../../verifier/web/core/qr.js";
import { canonicaliser } from "../../verifier/web/core/rdf.js";
import { rootFromInclusion } from "../../verifier/web/core/tree.js";

const json = (path) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8"));
const dictionaries = { 1: json("credentials/qr/dictionary-1.json") };
const load = () => import("../../verifier/web/vendor/jsonld.js");

const OPERATIONS = {
  jcs: async ({ text }) => encode(parse(Buffer.from(text, "base64").toString("utf8"))),
  exact: async ({ text }) => encode(parseExact(new Uint8Array(Buffer.from(text, "base64")))),
  number: async ({ bits }) => encode(new DataView(Uint8Array.from(Buffer.from(bits, "hex")).buffer).getFloat64(0)),
  qr: async ({ digits }) => fromDigits(digits, dictionaries),
  rdf: async ({ document, contexts }) => canonicaliser(load, contexts)(document),
  proofs: async ({ document, contexts }) => verifyProofs(document, canonicaliser(load, contexts)),
  inclusion: async ({ leaf, index, size, path }) => base64(rootFromInclusion(fromBase64(leaf), index, size, path.map(fromBase64))),
  note: async ({ note, keys }) => {
    const { signatures, unknown } = await openNote(note, keys.map(parseVerifierKey));
    return { signatures: signatures.map(({ key, time }) => [key.name, time]), unknown };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const task = JSON.parse(line);
  let answer;
  try {
    answer = { answer: await OPERATIONS[task.operation](task) };
  } catch (error) {
    if (!(error instanceof Fault || error instanceof Unreadable)) throw error;
    answer = { refused: error.message };
  }
  console.log(JSON.stringify(answer));
}
