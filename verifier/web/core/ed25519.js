// Ed25519 (RFC 8032) under one strict rule, libsodium's, whoever does the arithmetic.
//
// A public key is a canonical point of the main subgroup; S is below L; R is canonical and not of
// small order; and the equation without cofactor holds. WebCrypto accepts more (small-order keys),
// so the points are checked here first; that it leaves the cofactor out, its specification says.
import { base58, concat, equal, fromBase58 } from "./bytes.js";
import { Fault } from "./errors.js";
import { Point, sha512 } from "../vendor/noble.js";

const L = Point.CURVE().n;
const MULTICODEC = Uint8Array.of(0xed, 0x01);
const checked = new Map();

/** A checked public key of 32 bytes; Fault where it is not acceptable. */
export function publicKey(raw) {
  const name = base58(raw);
  let key = checked.get(name);
  if (key === undefined) {
    key = new PublicKey(raw);
    checked.set(name, key);
  }
  return key;
}

/** The key of a Multikey string, `z6Mk…` (Controlled Identifiers 1.0, 2.2.2). */
export function fromMultikey(text) {
  const complaint = `not an Ed25519 Multikey: ${String(text).slice(0, 60)}`;
  if (typeof text !== "string" || !text.startsWith("z6Mk")) throw new Fault(complaint);
  const data = fromBase58(text.slice(1));
  if (data.length !== 34 || !equal(data.subarray(0, 2), MULTICODEC)) throw new Fault(complaint);
  const key = publicKey(data.slice(2));
  if (key.multikey !== text) throw new Fault(`not the one Multikey form of its key: ${text.slice(0, 60)}`);
  return key;
}

class PublicKey {
  #point;
  #imported;

  constructor(raw) {
    if (raw.length !== 32) throw new Fault(`an Ed25519 public key has 32 bytes, this one ${raw.length}`);
    this.raw = raw;
    this.#point = point(raw);
    if (!this.#point || this.#point.isSmallOrder() || !this.#point.isTorsionFree())
      throw new Fault("not an acceptable Ed25519 public key: off the curve or of small order");
  }

  get multikey() {
    return `z${base58(concat(MULTICODEC, this.raw))}`;
  }

  /** Fault unless `signature` (64 bytes) over `message` holds. */
  async verify(message, signature) {
    if (signature.length !== 64)
      throw new Fault(`an Ed25519 signature has 64 bytes, this one ${signature.length}`);
    const r = point(signature.subarray(0, 32));
    const s = littleEndian(signature.subarray(32));
    const good =
      r && !r.isSmallOrder() && s < L &&
      ((await this.#verifyNatively(message, signature)) ?? this.verifyInScript(message, signature));
    if (!good) throw new Fault("the Ed25519 signature does not match");
  }

  /** Whether SB - hA is R, by the library. */
  verifyInScript(message, signature) {
    const r = signature.subarray(0, 32);
    const h = littleEndian(sha512(concat(r, this.raw, message))) % L;
    const s = littleEndian(signature.subarray(32));
    const sB = s ? Point.BASE.multiply(s, false) : Point.ZERO;
    const hA = h ? this.#point.multiply(h, false) : Point.ZERO;
    return equal(sB.subtract(hA).toBytes(), r);
  }

  /** The same by WebCrypto; undefined where it does not know Ed25519. */
  async #verifyNatively(message, signature) {
    try {
      this.#imported ??= await crypto.subtle.importKey("raw", this.raw, "Ed25519", false, ["verify"]);
      return await crypto.subtle.verify("Ed25519", this.#imported, signature, message);
    } catch {
      return undefined;
    }
  }
}

function point(bytes) {
  try {
    return Point.fromBytes(bytes, false);
  } catch {
    return null;
  }
}

function littleEndian(bytes) {
  let number = 0n;
  for (let place = bytes.length - 1; place >= 0; place--) number = (number << 8n) | BigInt(bytes[place]);
  return number;
}
