// Opens trust bundles as the verifier page does: one JSON task a line in, one answer a line out.
//
// A task is {bytes, root, kept}: a bundle in base64, the pinned fingerprint or null, and perhaps the
// bundle kept of the same bank. The answer is {roots, version}, or {refused: "why"}.
import { createInterface } from "node:readline";
import { BadTrust } from "../../verifier/web/core/errors.js";
import { checkAgainstKept, openTrust } from "../../verifier/web/core/trust.js";

const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));

async function answer({ bytes: data, root, kept }) {
  try {
    const trust = await openTrust(bytes(data), root);
    if (kept !== null) checkAgainstKept(trust, await openTrust(bytes(kept)));
    return { roots: trust.roots, version: trust.version };
  } catch (error) {
    if (error instanceof BadTrust) return { refused: error.message };
    return { crash: String(error.stack) };
  }
}

for await (const line of createInterface({ input: process.stdin }))
  if (line) console.log(JSON.stringify(await answer(JSON.parse(line))));
