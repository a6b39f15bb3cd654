// Kinds of field: what raw bytes or a text field stand for in canonical JSON (credentials/qr/fields.py).
import { base58, base64url, hex } from "./bytes.js";
import { publicKey } from "./ed25519.js";
import { Unreadable } from "./errors.js";

const EPOCH = Date.UTC(2000, 0, 1);
const DAY = 86400;
const LAST_DAY = (Date.UTC(9999, 11, 31) - EPOCH) / 1000 / DAY;

const moment = (seconds) => `${new Date(EPOCH + seconds * 1000).toISOString().slice(0, 19)}Z`;
const takeText = (reader) => reader.takeText();

function takeInt(reader) {
  const value = reader.takeInt();
  if (value >= 1e15) throw new Unreadable("the QR payload is damaged: a number is too large");
  return String(value);
}

function takeTime(reader) {
  const value = reader.takeInt();
  const half = Math.floor(value / 2);
  const seconds = value % 2 ? half : half * DAY;
  if (Math.floor(seconds / DAY) > LAST_DAY || (value % 2 && seconds % DAY === 0))
    throw new Unreadable("the QR payload is damaged: a time is not in its shortest form");
  return moment(seconds);
}

function takeDate(reader) {
  const days = reader.takeInt();
  if (days > LAST_DAY) throw new Unreadable("the QR payload is damaged: a date is beyond the year 9999");
  return moment(days * DAY).slice(0, 10);
}

function takeUuid(reader) {
  return hex(reader.take(16)).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

const takeKey = (reader) => publicKey(reader.take(32)).multikey;
const takeProof = (reader) => `z${base58(reader.take(64))}`;
const takeHex = (reader) => hex(reader.take(32));
const takeBase64url = (size) => (reader) => base64url(reader.take(size));

export const KINDS = {
  text: takeText, part: takeText, number: takeText, array: takeText,
  int: takeInt, uuid: takeUuid, time: takeTime, date: takeDate, key: takeKey, proof: takeProof,
  hex32: takeHex, b64u16: takeBase64url(16), b64u32: takeBase64url(32), b64u64: takeBase64url(64),
};

const TOKENS = {
  "\x01": "uuid", "\x02": "time", "\x03": "key", "\x04": "proof", "\x05": "hex32", "\x06": "b64u64",
  "\x07": "b64u32",
};

/** Canonical JSON text in which control characters stand for fields. */
export const takeFree = (reader) =>
  reader.takeText().replace(/[\x01-\x07]/g, (token) => KINDS[TOKENS[token]](reader));
