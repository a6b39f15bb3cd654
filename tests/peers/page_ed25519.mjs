// The page's verdict on Ed25519 signatures: [[key, message, signature], ...] in hexadecimal in, true or
// false for each out. The argument says who does the arithmetic: webcrypto, or library.
import { readFileSync } from "node:fs";
import { fromHex } from "../../verifier/web/core/bytes.js";
import { publicKey } from "../../verifier/web/core/ed25519.js";
import { Fault } from "../../verifier/web/core/errors.js";

const script = process.argv[2] === "library";
const { importKey } = crypto.subtle;
let native = 0;
crypto.subtle.importKey = async (...given) => {
  if (script) throw new Error("not here");
  native++;
  return importKey.apply(crypto.subtle, given);
};

const answers = [];
for (const [key, message, signature] of JSON.parse(readFileSync(0, "utf8")))
  try {
    await publicKey(fromHex(key)).verify(fromHex(message), fromHex(signature));
    answers.push(true);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    answers.push(false);
  }
if (native === 0 && !script) throw new Error("WebCrypto was never asked");
console.log(JSON.stringify(answers));
