// QR codes in pictures and camera frames, by zxing-wasm, loaded when first needed.
import { decoderBinary } from "./assets.js";
import { digitsOfUrl } from "./core/qr.js";

let reading = null;

/** The texts of the QR codes in an ImageData, those of credentials alone where there is one. */
export async function textsIn(picture) {
  reading ??= load();
  const readBarcodes = await reading;
  const found = await readBarcodes(picture, { formats: ["QRCode"], tryHarder: true, maxNumberOfSymbols: 8 });
  const texts = [...new Set(found.filter((code) => code.isValid).map((code) => code.text))];
  const credentials = texts.filter(isCredential);
  return credentials.length ? credentials : texts;
}

/** Whether a text is the link of a credential. */
export function isCredential(text) {
  try {
    return Boolean(digitsOfUrl(text));
  } catch {
    return false;
  }
}

async function load() {
  const { prepareZXingModule, readBarcodes } = await import("./vendor/zxing.js");
  await prepareZXingModule({ overrides: { wasmBinary: await decoderBinary() }, fireImmediately: true });
  return readBarcodes;
}

/** The pixels of a picture file, at most 3,000 a side; null if the browser cannot show it. */
export async function pixels(blob) {
  let bitmap;
  try {
    bitmap = blob.type === "image/svg+xml" ? await drawing(blob) : await createImageBitmap(blob);
  } catch {
    return null;
  }
  const scale = Math.min(1, 3000 / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

async function drawing(blob) {
  const url = URL.createObjectURL(blob);
  try {
    const image = new Image(1200, 1200);
    image.src = url;
    await image.decode();
    return image;
  } finally {
    URL.revokeObjectURL(url);
  }
}
