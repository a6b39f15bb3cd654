// What is shown to a verifier: a bundle, a bare credential, a certificate, a badge, a QR code's link.
import { text as decode } from "./bytes.js";
import { isObject, parse, parseExact } from "./canonical.js";
import { Fault, Several, Unreadable } from "./errors.js";
import { unbakePng, unbakeSvg } from "./badge.js";
import { readAttachment } from "./certificate.js";
import { digitsOfFragment, digitsOfUrl, fromDigits } from "./qr.js";

const LIMIT = 1024 * 1024;
const SHARE_LIMIT = 16 * LIMIT;
const PICTURES = [
  [0x89, 0x50, 0x4e, 0x47], [0xff, 0xd8, 0xff], [0x47, 0x49, 0x46, 0x38], [0x52, 0x49, 0x46, 0x46], [0x42, 0x4d],
  [0x49, 0x49, 0x2a, 0x00], [0x4d, 0x4d, 0x00, 0x2a],
];

/**
 * {credential, receipt, form} of a file's bytes; Unreadable, naming the file, where there is none.
 *
 * null for a picture without a credential baked into it: it may show a QR code.
 */
export async function readEvidence(bytes, name, dictionaries) {
  if (!bytes.length) throw new Unreadable(`${name} is empty`);
  try {
    if (latin(bytes.subarray(0, 1024)).includes("%PDF-"))
      return { ...bundle(parseExact(await readAttachment(bytes), LIMIT), name), form: "pdf" };
    if (isPicture(bytes)) return await badge(bytes, name);
    if (bytes.length > LIMIT) throw new Unreadable(`${name} has ${bytes.length} bytes; no credential is over ${LIMIT}`);
    return await readText(decode(bytes), name, dictionaries);
  } catch (error) {
    if (error instanceof Fault) throw new Unreadable(`${name} cannot be read as a credential: ${error.message}`);
    throw error;
  }
}

/** The evidence in a text: JSON, or the link of a QR code. */
export async function readText(text, name, dictionaries) {
  try {
    if (/^\s*https:\/\//.test(text)) return await readLink(text.trim(), dictionaries);
    const value = parse(text, LIMIT);
    if (isObject(value) && ("receipt" in value || "credential" in value))
      return bundle(parseExact(new TextEncoder().encode(text), LIMIT), name);
    if (isObject(value) && ["transcript", "presentation"].some((kind) => kind in value))
      throw new Several(`${name} holds several awards: check it with “creditbank verify”`);
    if (!isObject(value) || !("credentialSubject" in value))
      throw new Unreadable(`${name} is no credential, no bundle and no picture of a QR code`);
    return { credential: value, receipt: null, form: "credential" };
  } catch (error) {
    if (error instanceof Fault) throw new Unreadable(`${name} cannot be read as a credential: ${error.message}`);
    throw error;
  }
}

/** The evidence in a QR code's URL. */
export async function readLink(url, dictionaries) {
  return { ...(await fromDigits(digitsOfUrl(url), dictionaries)), form: "qr" };
}

/** The evidence in a URL's fragment, without its #. */
export async function readFragment(fragment, dictionaries) {
  return { ...(await fromDigits(digitsOfFragment(fragment), dictionaries)), form: "qr" };
}

/** The evidence under a share link, as the bank sends it: {"bundles": […]}. */
export function readBundles(bytes, name) {
  try {
    const value = parseExact(bytes, SHARE_LIMIT);
    if (!isObject(value) || !Array.isArray(value.bundles) || !value.bundles.length)
      throw new Unreadable(`${name} holds no bundles`);
    return value.bundles.map((one) => bundle(one, name));
  } catch (error) {
    if (error instanceof Fault) throw new Unreadable(`${name} cannot be read: ${error.message}`);
    throw error;
  }
}

async function badge(bytes, name) {
  const baked = bytes[0] === 0x89 ? await unbakePng(bytes) : bytes[0] === 0x3c ? unbakeSvg(decode(bytes)) : null;
  if (!baked) return null;
  const credential = parse(decode(baked.credential), LIMIT);
  if (!isObject(credential)) throw new Unreadable(`${name} holds something that is no credential`);
  return { credential, receipt: baked.receipt, form: "badge" };
}

function bundle(value, name) {
  const fields = isObject(value) ? Object.keys(value).sort().join() : "";
  if (fields !== "credential,receipt" || !isObject(value.credential) || typeof value.receipt !== "string")
    throw new Unreadable(`${name} is not a bundle: a bundle has the fields credential and receipt`);
  return { credential: value.credential, receipt: value.receipt, form: "bundle" };
}

function isPicture(bytes) {
  const head = latin(bytes.subarray(0, 5));
  return (
    head.startsWith("<svg") || head === "<?xml" ||
    PICTURES.some((magic) => magic.every((byte, place) => bytes[place] === byte))
  );
}

const latin = (bytes) => String.fromCharCode(...bytes);
