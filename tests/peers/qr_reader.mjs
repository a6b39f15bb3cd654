// Reads pictures with the decoder that the verifier page uses: one PNG in base64 a line in, the
// text of its QR code, or null, as JSON a line out.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { prepareZXingModule, readBarcodes } from "../../verifier/web/vendor/zxing.js";

const wasm = readFileSync(new URL("../../verifier/web/vendor/zxing_reader.wasm", import.meta.url));
const wasmBinary = wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.length);
await prepareZXingModule({ overrides: { wasmBinary }, fireImmediately: true });
for await (const line of createInterface({ input: process.stdin })) {
  const picture = new Uint8Array(Buffer.from(line, "base64"));
  const found = await readBarcodes(picture, { formats: ["QRCode"], tryHarder: true, maxNumberOfSymbols: 1 });
  console.log(JSON.stringify(found.find((code) => code.isValid)?.text ?? null));
}
