// Runs the verifier page's own core over evidence: one JSON task a line in, one JSON report a line out.
//
// A task is {bytes} of a file in base64, or {digits} of a QR code, with `at` in milliseconds; the
// trust bundle's file is the first argument. What cannot be read gives {unreadable: "why"}.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Unreadable } from "../../verifier/web/core/errors.js";
import { readEvidence, readFragment } from "../../verifier/web/core/evidence.js";
import { canonicaliser } from "../../verifier/web/core/rdf.js";
import { openTrust } from "../../verifier/web/core/trust.js";
import { verify } from "../../verifier/web/core/verification.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const json = (path) => JSON.parse(readFileSync(join(root, path), "utf8"));
const contexts = {
  "https://www.w3.org/ns/credentials/v2": json("credentials/rdf/contexts/credentials-v2.json"),
  "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json": json("credentials/rdf/contexts/open-badges-3.0.3.json"),
};
const dictionaries = { 1: json("credentials/qr/dictionary-1.json") };
const canonicalise = canonicaliser(() => import("../../verifier/web/vendor/jsonld.js"), contexts);
const trust = await openTrust(new Uint8Array(readFileSync(process.argv[2])));

async function evidenceOf({ bytes, digits }) {
  if (digits !== undefined) return readFragment(`1${digits}`, dictionaries);
  return readEvidence(new Uint8Array(Buffer.from(bytes, "base64")), "the file", dictionaries);
}

async function answer(task) {
  try {
    return await verify(await evidenceOf(task), trust, task.at, canonicalise);
  } catch (error) {
    if (error instanceof Unreadable) return { unreadable: error.message };
    return { crash: String(error.stack) };
  }
}

for await (const line of createInterface({ input: process.stdin }))
  if (line) console.log(JSON.stringify(await answer(JSON.parse(line))));
