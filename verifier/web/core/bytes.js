// Bytes and their text encodings, each strict: one text for one string of bytes.
import { Fault } from "./errors.js";

const UTF8 = new TextEncoder();
const FATAL = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

export const utf8 = (text) => UTF8.encode(text);

/** The text of UTF-8 bytes; Fault where they are none. */
export function text(bytes) {
  try {
    return FATAL.decode(bytes);
  } catch {
    throw new Fault("bytes are not UTF-8 text");
  }
}

export function concat(...parts) {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

export const equal = (one, other) =>
  one.length === other.length && one.every((byte, place) => byte === other[place]);

export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export const fromHex = (digits) =>
  Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** Unsigned big-endian bytes of a whole number. */
export function bigEndian(number, size) {
  const bytes = new Uint8Array(size);
  let rest = BigInt(number);
  for (let place = size - 1; place >= 0; place--) {
    bytes[place] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

export function base64(bytes) {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x2000)
    binary += String.fromCharCode(...bytes.subarray(at, at + 0x2000));
  return btoa(binary);
}

/** Bytes of padded base64; Fault unless it is the one form of them. */
export function fromBase64(encoded) {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(encoded)) throw new Fault("a line is not base64");
  let bytes;
  try {
    bytes = Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0));
  } catch {
    throw new Fault("a line is not base64");
  }
  if (base64(bytes) !== encoded) throw new Fault("base64 is not the one form of its bytes");
  return bytes;
}

export const base64url = (bytes) =>
  base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

/** Bytes of base64url without padding, `length` of them where given; Fault otherwise. */
export function fromBase64url(encoded, length) {
  if (typeof encoded !== "string" || !/^[A-Za-z0-9_-]*$/.test(encoded))
    throw new Fault(`not base64url without padding: ${String(encoded).slice(0, 40)}`);
  const padded = encoded.replaceAll("-", "+").replaceAll("_", "/");
  const bytes = fromBase64(padded + "=".repeat(-padded.length & 3));
  if (length !== undefined && bytes.length !== length)
    throw new Fault(`expected ${length} bytes in base64url, got ${bytes.length}`);
  return bytes;
}

export function base58(bytes) {
  let number = 0n;
  for (const byte of bytes) number = (number << 8n) | BigInt(byte);
  let digits = "";
  for (; number; number /= 58n) digits = BASE58[Number(number % 58n)] + digits;
  for (const byte of bytes) {
    if (byte) break;
    digits = `1${digits}`;
  }
  return digits;
}

/** Bytes of base58btc; Fault on a foreign character or over 256 characters. */
export function fromBase58(encoded) {
  if (encoded.length > 256) throw new Fault("base58 text is over the limit of 256 characters");
  let number = 0n;
  for (const char of encoded) {
    const value = BASE58.indexOf(char);
    if (value < 0) throw new Fault(`${char} is not a base58btc character`);
    number = number * 58n + BigInt(value);
  }
  const zeros = encoded.length - encoded.replace(/^1+/, "").length;
  const bytes = [];
  for (; number; number >>= 8n) bytes.unshift(Number(number & 0xffn));
  return Uint8Array.from([...new Array(zeros).fill(0), ...bytes]);
}
