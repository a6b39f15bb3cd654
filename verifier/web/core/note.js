// Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature).
import { bigEndian, concat, fromBase64, hex, utf8 } from "./bytes.js";
import { publicKey } from "./ed25519.js";
import { Fault } from "./errors.js";
import { ml_dsa44, sha256 } from "../vendor/noble.js";

const ED25519 = 0x01;
const COSIGNATURE_ED25519 = 0x04;
const COSIGNATURE_MLDSA44 = 0x06;
const MLDSA44_KEY_BYTES = 1312;
const MLDSA44_SIGNATURE_BYTES = 2420;
const LATEST = 253402300799n; // the last second of the year 9999
// What \s leaves out or adds (U+0085, U+FEFF), Unicode's own list does not.
const NAME = /^[^\p{White_Space}+\x00-\x1f\x7f]{1,255}$/u;
const LINE = /^— ([^ \n]+) ([A-Za-z0-9+/]+={0,2})$/u;
const NOT_TEXT = /[\x00-\x09\x0b-\x1f\x7f]/;

/** A verifier key: whose signatures of which kind. */
class VerifierKey {
  constructor(name, kind, raw) {
    Object.assign(this, { name, kind, raw });
    this.id = sha256(concat(utf8(`${name}\n`), Uint8Array.of(kind), raw)).subarray(0, 4);
    this.place = `${name}+${hex(this.id)}`;
  }

  /** The cosignature's time in Unix seconds, or null; Fault unless `signature` over `text` holds. */
  async verify(text, signature) {
    if (this.kind === ED25519) {
      await this.#ed25519(utf8(text), signature);
      return null;
    }
    const time = signature.subarray(0, 8).reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
    if (time > LATEST) throw new Fault(`the cosignature of ${this.name} bears an impossible time`);
    if (this.kind === COSIGNATURE_ED25519)
      await this.#ed25519(utf8(`cosignature/v1\ntime ${time}\n${text}`), signature.subarray(8));
    else this.#mldsa44(subtreeMessage(text, time, this.name), signature.subarray(8));
    return Number(time);
  }

  async #ed25519(message, signature) {
    try {
      await publicKey(this.raw).verify(message, signature);
    } catch {
      throw new Fault(`the signature of ${this.name} does not match`);
    }
  }

  #mldsa44(message, signature) {
    if (signature.length !== MLDSA44_SIGNATURE_BYTES || !ml_dsa44.verify(signature, message, this.raw))
      throw new Fault(`the ML-DSA-44 cosignature of ${this.name} does not match`);
  }
}

/** The verifier key of its text; Fault says what is wrong with it. */
export function parseVerifierKey(text) {
  const [name, identifier, ...body] = text.split("+");
  const data = fromBase64(body.join("+"));
  if (!NAME.test(name) || data.length < 2) throw new Fault(`not a verifier key: ${text.slice(0, 60)}`);
  const key = new VerifierKey(name, data[0], data.slice(1));
  if (hex(key.id) !== identifier) throw new Fault(`the key id of ${text.slice(0, 60)} is not that of its key`);
  if (key.kind === ED25519 || key.kind === COSIGNATURE_ED25519) publicKey(key.raw);
  else if (key.kind !== COSIGNATURE_MLDSA44 || key.raw.length !== MLDSA44_KEY_BYTES)
    throw new Fault(`verifier key ${name} is no key of a kind known here`);
  return key;
}

/** The note's text, its good signatures ({key, time}), and the names of lines by keys not given. */
export async function openNote(note, keys) {
  const { text, lines } = split(note);
  const known = new Map(keys.map((key) => [key.place, key]));
  const signatures = [];
  const unknown = [];
  for (const line of lines) {
    const { name, id, signature } = signatureLine(line);
    const key = known.get(`${name}+${hex(id)}`);
    if (key === undefined) unknown.push(name);
    else if (signatures.some((other) => other.key === key)) throw new Fault(`the note is signed twice by ${name}`);
    else signatures.push({ key, time: await key.verify(text, signature) });
  }
  return { text, signatures, unknown };
}

/** {origin, size, root} of a note's text. */
export function parseCheckpoint(text) {
  const lines = text.split("\n");
  if (lines.length < 4 || lines.at(-1) || !lines[0])
    throw new Fault("not a checkpoint: it needs origin, size and root hash, a line each");
  if (!/^(0|[1-9][0-9]{0,15})$/.test(lines[1]))
    throw new Fault(`the checkpoint's size ${lines[1].slice(0, 24)} is not a number of entries`);
  const root = fromBase64(lines[2]);
  if (root.length !== 32 || lines.slice(3, -1).includes(""))
    throw new Fault("the checkpoint is not in its one canonical form");
  return { origin: lines[0], size: Number(lines[1]), root };
}

function subtreeMessage(text, time, cosigner) {
  const { origin, size, root } = parseCheckpoint(text);
  const name = utf8(cosigner);
  const log = utf8(origin);
  if (name.length > 255 || log.length > 255) throw new Fault("a cosigner's name or a log's origin is too long");
  return concat(
    utf8("subtree/v1\n\0"), Uint8Array.of(name.length), name, bigEndian(time, 8),
    Uint8Array.of(log.length), log, bigEndian(0, 8), bigEndian(size, 8), root,
  );
}

function split(note) {
  if (note.length > 1024 * 1024) throw new Fault("the note is over 1 MiB");
  if (NOT_TEXT.test(note)) throw new Fault("the note holds a control character");
  const end = note.lastIndexOf("\n\n");
  const rest = note.slice(end + 2);
  if (end < 1 || !rest.endsWith("\n")) throw new Fault("not a signed note: it has no signature lines");
  const lines = rest.slice(0, -1).split("\n");
  if (lines.length > 100) throw new Fault("the note has over 100 signatures");
  return { text: `${note.slice(0, end)}\n`, lines };
}

function signatureLine(line) {
  const match = LINE.exec(line);
  if (!match || !NAME.test(match[1])) throw new Fault(`not a signature line: ${line.slice(0, 60)}`);
  const data = fromBase64(match[2]);
  if (data.length < 5) throw new Fault(`the signature of ${match[1]} is too short`);
  return { name: match[1], id: data.subarray(0, 4), signature: data.subarray(4) };
}

