// Keystores (keys/keystore.py, format 1): opened and made in the browser, never sent anywhere.
import { base58, base64url, concat, fromBase64url, text, utf8 } from "/v/core/bytes.js";
import { encode, parse } from "/v/core/canonical.js";

export const SIGNING = "ed25519-signing";
export const RECORDS = "creditbank-records";
const FIELDS = ["kdf", "memory", "nonce", "operations", "purpose", "salt", "version"];
const MOST_MEMORY = 1024 * 1024 * 1024;
const MOST_OPERATIONS = 10;
const PKCS8 = Uint8Array.of(0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20);
const MULTICODEC = Uint8Array.of(0xed, 0x01);

/** What is wrong with a keystore, as a code that pages have words for. */
export class KeystoreFault extends Error {}

/** The secret in a keystore's bytes; KeystoreFault with `format`, `purpose` or `passphrase`. */
export async function open(data, passphrase, purpose) {
  const { header, ciphertext } = parts(data);
  if (header.purpose !== purpose) throw new KeystoreFault("purpose");
  const { xchacha20poly1305 } = await library();
  const key = await derive(passphrase, header);
  try {
    return xchacha20poly1305(key, fromBase64url(header.nonce), utf8(encode(header))).decrypt(fromBase64url(ciphertext));
  } catch {
    throw new KeystoreFault("passphrase");
  }
}

/** What a keystore's bytes are for, or null where they are none. */
export function purposeOf(data) {
  try {
    return parts(data).header.purpose;
  } catch {
    return null;
  }
}

/** A new keystore's bytes. */
export async function make(secret, passphrase, purpose) {
  const random = (size) => base64url(crypto.getRandomValues(new Uint8Array(size)));
  const header = { kdf: "argon2id", memory: 64 * 1024 * 1024, nonce: random(24), operations: 2, purpose, salt: random(16), version: 1 };
  const { xchacha20poly1305 } = await library();
  const key = await derive(passphrase, header);
  const ciphertext = xchacha20poly1305(key, fromBase64url(header.nonce), utf8(encode(header))).encrypt(secret);
  return utf8(encode({ ciphertext: base64url(ciphertext), header }));
}

/** The keys to sign with, from a seed and a record secret; neither can be read back. */
export async function keysFrom(seed, records) {
  const signing = await crypto.subtle.importKey("pkcs8", concat(PKCS8, seed), "Ed25519", false, ["sign"]);
  const multikey = `z${base58(concat(MULTICODEC, await publicOf(seed)))}`;
  const hmac = records && (await crypto.subtle.importKey("raw", records, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]));
  return { signing, records: hmac ?? null, multikey };
}

async function publicOf(seed) {
  const pair = await crypto.subtle.importKey("pkcs8", concat(PKCS8, seed), "Ed25519", true, ["sign"]);
  return fromBase64url((await crypto.subtle.exportKey("jwk", pair)).x);
}

function parts(data) {
  let document;
  try {
    document = parse(text(data));
  } catch {
    throw new KeystoreFault("format");
  }
  const { header, ciphertext } = document ?? {};
  const known = header && typeof ciphertext === "string" && Object.keys(header).sort().join() === FIELDS.join();
  const within = known && header.version === 1 && header.kdf === "argon2id" && header.memory <= MOST_MEMORY && header.operations <= MOST_OPERATIONS;
  if (!within) throw new KeystoreFault("format");
  return { header, ciphertext };
}

async function derive(passphrase, header) {
  const { argon2idAsync } = await library();
  return argon2idAsync(utf8(passphrase), fromBase64url(header.salt), { t: header.operations, m: header.memory / 1024, p: 1, dkLen: 32 });
}

const library = () => import("/static/vendor/keystore.js");
