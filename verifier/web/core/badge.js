// Baked badges: a credential inside a picture, PNG or SVG (Open Badges 3.0, section 5.3).
import { text as decode, utf8 } from "./bytes.js";
import { Fault } from "./errors.js";
import { unzlib } from "./inflate.js";

const SIGNATURE = "\x89PNG\r\n\x1a\n";
const KEYWORDS = { openbadgecredential: "credential", creditbankreceipt: "receipt" };
const NAMESPACES = { "https://purl.imsglobal.org/ob/v3p0": "credential", "urn:creditbank:receipt:1": "receipt" };
const MOST_TEXT = 1024 * 1024;
const MOST_CHUNKS = 10_000;

/** {credential (bytes), receipt} that a PNG holds, null if it holds no credential. */
export async function unbakePng(bytes) {
  const found = {};
  for (const { kind, body } of chunks(bytes)) {
    const end = body.indexOf(0);
    const name = kind === "iTXt" && KEYWORDS[latin(body.subarray(0, Math.max(end, 0)))];
    if (!name) continue;
    if (name in found) throw new Fault("the badge holds two credentials; a badge holds one");
    found[name] = await textOf(body.subarray(end + 1));
  }
  if (!found.credential) return null;
  return { credential: found.credential, receipt: found.receipt ? decode(found.receipt) : null };
}

/** The same of an SVG's text. */
export function unbakeSvg(text) {
  if (/<!DOCTYPE/i.test(text)) throw new Fault("the SVG declares a document type; a badge needs none");
  const picture = new DOMParser().parseFromString(text, "image/svg+xml");
  if (picture.querySelector("parsererror")) throw new Fault("the SVG cannot be read");
  const found = {};
  for (const [namespace, name] of Object.entries(NAMESPACES)) {
    const elements = picture.getElementsByTagNameNS(namespace, name);
    if (elements.length > 1) throw new Fault("the badge holds two credentials; a badge holds one");
    if (elements.length) found[name] = elements[0].textContent;
  }
  if (found.credential === undefined) return null;
  if (found.credential.length > MOST_TEXT) throw new Fault(`what the badge holds is over ${MOST_TEXT} characters`);
  return { credential: utf8(found.credential), receipt: found.receipt ?? null };
}

function* chunks(bytes) {
  if (latin(bytes.subarray(0, 8)) !== SIGNATURE) throw new Fault("the picture is not a PNG");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let place = 8;
  for (let count = 0; count < MOST_CHUNKS; count++) {
    if (bytes.length < place + 12) throw new Fault("the PNG is cut short");
    const end = place + 12 + view.getUint32(place);
    if (end > bytes.length) throw new Fault("the PNG is cut short");
    const kind = latin(bytes.subarray(place + 4, place + 8));
    if (crc32(bytes.subarray(place + 4, end - 4)) !== view.getUint32(end - 4))
      throw new Fault(`the PNG is damaged: the checksum of a ${kind} chunk does not match`);
    yield { kind, body: bytes.subarray(place + 8, end - 4) };
    if (kind === "IEND") return;
    place = end;
  }
  throw new Fault(`the PNG has more than ${MOST_CHUNKS} chunks`);
}

/** The text of an iTXt chunk, after its keyword (PNG, section 11.3.3.4). */
async function textOf(rest) {
  const language = rest.indexOf(0, 2);
  const translated = rest.indexOf(0, language + 1);
  if (rest.length < 2 || rest[0] > 1 || language < 0 || translated < 0)
    throw new Fault("the badge's text chunk is malformed");
  const text = rest.subarray(translated + 1);
  return rest[0] ? unzlib(text, MOST_TEXT) : text;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, value) => {
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return ~crc >>> 0;
}

const latin = (bytes) => String.fromCharCode(...bytes);
