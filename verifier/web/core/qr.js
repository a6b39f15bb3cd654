// Credentials as QR codes: `https://<domain>/v#1<digits>` (credentials/qr/compact.py has the format).
import { base64, base64url, hex, text as decodeUtf8, utf8 } from "./bytes.js";
import { encode, isObject, parseExact, without } from "./canonical.js";
import { Fault, Newer, Unreadable } from "./errors.js";
import * as gb18030 from "./gb18030.js";
import { inflate } from "./inflate.js";
import { parseTemplate, takeDocument } from "./qr_template.js";
import { Reader } from "./qr_stream.js";
import { formatLandmark, formatReceipt, LANDMARK_HEIGHT } from "./receipt.js";
import { leafHash, rootFromInclusion } from "./tree.js";
import { sha256 } from "../vendor/noble.js";

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const URL_FORM = new RegExp(`^https://(${LABEL}(?:\\.${LABEL})*(?::[1-9][0-9]{0,4})?)/v#([0-9])([0-9]*)$`);
const FORMAT = "1";
const DIGITS_OF_BYTES = [0, 3, 5, 8, 10, 13, 15, 17];
const MOST_DIGITS = 7089;
const INFLATED_LIMIT = 64 * 1024;
const CREDENTIAL_ONLY = 0;
const FULL_RECEIPT = 1;
const LANDMARK_RECEIPT = 2;
const CHINESE = 0b100;
const RESERVED = 0b1000;
const SIGNATURE_BYTES = [4 + 64, 4 + 8 + 64];
const MOST_LINES = 64;

/** The digits in a credential's URL; Unreadable if it is some other URL or format. */
export function digitsOfUrl(url) {
  const match = URL_FORM.exec(url);
  if (!match || match[1].length > 260)
    throw new Unreadable("this QR code holds no credential: it is not of the form https://…/v#1…");
  return digitsOfFragment(match[2] + match[3]);
}

/** The digits after the format number of a URL's fragment. */
export function digitsOfFragment(fragment) {
  if (!/^[0-9]+$/.test(fragment)) throw new Unreadable("this link holds no credential");
  if (fragment[0] !== FORMAT)
    throw new Newer(`this QR code has format ${fragment[0]}; this version reads format ${FORMAT} only`);
  if (fragment.length === 1)
    throw new Unreadable("this QR code holds no credential: nothing follows its format number");
  return fragment.slice(1);
}

/** {credential, receipt} of a QR code's digits; `dictionaries` are the published ones by version. */
export async function fromDigits(digits, dictionaries) {
  try {
    return await fromBytes(digitsToBytes(digits), dictionaries);
  } catch (error) {
    if (error instanceof Fault) throw new Unreadable(`the QR payload is damaged: ${error.message}`);
    throw error;
  }
}

function digitsToBytes(digits) {
  if (digits.length > MOST_DIGITS)
    throw new Unreadable(`the QR payload has ${digits.length} digits; no QR code holds over ${MOST_DIGITS}`);
  const bytes = [];
  for (let start = 0; start < digits.length; start += 17) {
    const block = digits.slice(start, start + 17);
    const size = DIGITS_OF_BYTES.indexOf(block.length);
    if (size < 0) throw new Unreadable(`the QR payload is cut off: ${block.length} digits are left over at its end`);
    const value = BigInt(block);
    if (value >> BigInt(8 * size))
      throw new Unreadable(`the QR payload is damaged: digits ${start} and on are no block of bytes`);
    for (let place = size - 1; place >= 0; place--) bytes.push(Number((value >> BigInt(8 * place)) & 0xffn));
  }
  return Uint8Array.from(bytes);
}

async function fromBytes(data, dictionaries) {
  if (data.length < 5 || crc16(data.subarray(0, -2)) !== data.at(-2) * 256 + data.at(-1))
    throw new Unreadable("the QR payload is damaged or cut off: its check value does not match");
  const flags = data[0];
  const kind = flags & 0b11;
  if (flags & RESERVED || kind > LANDMARK_RECEIPT)
    throw new Newer("this QR code carries something this version cannot read; update the verifier");
  const published = dictionary(flags >> 4, dictionaries);
  const frame = new Reader(data.slice(1, -2), "");
  const raw = frame.take(frame.takeInt());
  const reader = new Reader(raw, await published.inflate(frame.rest(), Boolean(flags & CHINESE)));
  const credential = parseExact(utf8(takeDocument(reader, published.credential, {})));
  if (!isObject(credential)) throw new Unreadable("the QR payload is damaged: it holds no credential");
  let receipt = null;
  if (kind === FULL_RECEIPT) receipt = takeReceipt(reader, credential, published.entry);
  else if (kind === LANDMARK_RECEIPT) receipt = takeLandmark(reader, credential, published.entry);
  reader.finish();
  return { credential, receipt };
}

function dictionary(version, dictionaries) {
  const data = dictionaries[version];
  if (!data)
    throw new Newer(`this QR code needs dictionary ${version}, which this version does not know; update the verifier`);
  const preset = data.preset.join("");
  return {
    credential: data.credential.map(parseTemplate),
    entry: data.entry.map(parseTemplate),
    async inflate(packed, chinese) {
      const window = chinese ? gb18030.encode(preset) : utf8(preset);
      const bytes = await inflate(packed, window, INFLATED_LIMIT);
      const text = chinese ? gb18030.decode(bytes) : decodeUtf8(bytes);
      if (chinese && !gb18030.isPlain(text))
        throw new Unreadable("the QR payload is damaged: its text is not in the character set it names");
      return text;
    },
  };
}

function takeReceipt(reader, credential, templates) {
  const index = takeNumber(reader);
  const size = takeNumber(reader);
  const path = Array.from({ length: takeCount(reader) }, () => reader.take(32));
  const lines = takeCount(reader);
  const [origin, ...extensions] = reader.takeText().split("\n");
  const signatures = Array.from({ length: lines }, () => takeSignature(reader, origin));
  const entry = utf8(takeDocument(reader, templates, implied(credential, index, path)));
  const root = base64(rootFromInclusion(leafHash(entry), index, size, path));
  if (!signatures.length || extensions.includes(""))
    throw new Unreadable("the receipt's checkpoint has a malformed line");
  const checkpoint = [origin, size, root, ...extensions, "", ...signatures, ""].join("\n");
  return formatReceipt({ entry, index, path, checkpoint });
}

function takeSignature(reader, origin) {
  const form = reader.takeInt();
  if (form >= 2 * SIGNATURE_BYTES.length)
    throw new Newer("this QR code has a kind of log signature that this version does not know");
  const name = form & 1 ? reader.takeText() : origin;
  if (!name || /\s/.test(name)) throw new Unreadable("the receipt's checkpoint has a malformed signature line");
  return `— ${name} ${base64(reader.take(SIGNATURE_BYTES[form >> 1]))}`;
}

function takeLandmark(reader, credential, templates) {
  const index = takeNumber(reader);
  const origin = reader.takeText();
  if (!origin || origin.includes("\n")) throw new Unreadable("the QR payload is damaged: its receipt names no ledger");
  const path = Array.from({ length: LANDMARK_HEIGHT }, () => reader.take(32));
  const entry = utf8(takeDocument(reader, templates, implied(credential, index, path)));
  return formatLandmark({ entry, origin, index, path });
}

function takeNumber(reader) {
  const value = reader.takeInt();
  if (value >= 1e15) throw new Unreadable("the QR payload is damaged: a number is too large");
  return value;
}

function takeCount(reader) {
  const count = reader.takeInt();
  if (count > MOST_LINES) throw new Unreadable("the QR payload is damaged: its receipt has too many lines");
  return count;
}

/** What an award's entry is expected to say, as pieces of JSON text; unknown things are empty. */
function implied(credential, index, path) {
  const proof = Array.isArray(credential.proof) ? credential.proof[0] : credential.proof;
  const subject = credential.credentialSubject;
  const status = credential.credentialStatus;
  const { issuer } = credential;
  return {
    index: String(index),
    sibling: path.length && index % 2 ? hex(path[0]) : "",
    commitment: base64url(sha256(utf8(encode(without(credential, "proof"))))),
    key: after(textAt(proof, "verificationMethod"), "#"),
    author: typeof issuer === "string" ? issuer : textAt(issuer, "id"),
    credits: numberAt(subject, "creditsEarned"),
    expires: textAt(credential, "validUntil").slice(0, 10),
    level: alignment(subject, "ext:QualificationLevel"),
    scheme: alignment(subject, "ext:CreditScheme"),
    status_index: textAt(status, "statusListIndex"),
    status_list: textAt(status, "statusListCredential").split("/").at(-1),
    unit: textAt(subject, "achievement", "id").split("/").slice(-2).join("@"),
  };
}

function at(value, ...names) {
  for (const name of names) value = isObject(value) && Object.hasOwn(value, name) ? value[name] : null;
  return value;
}

function textAt(value, ...names) {
  const found = at(value, ...names);
  return typeof found === "string" ? found : "";
}

function numberAt(value, ...names) {
  const found = at(value, ...names);
  return typeof found === "number" || typeof found === "boolean" ? encode(found) : "";
}

function after(text, mark) {
  const place = text.indexOf(mark);
  return place < 0 ? "" : text.slice(place + 1);
}

function alignment(subject, kind) {
  const alignments = at(subject, "achievement", "alignment");
  const found = Array.isArray(alignments) && alignments.find((one) => textAt(one, "targetType") === kind);
  return found ? textAt(found, "targetCode") : "";
}

/** CRC-16 with polynomial 0x1021, from 0. */
function crc16(bytes) {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc;
}

