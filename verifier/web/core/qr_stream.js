// The two channels of a compact bundle: raw bytes, and text fields that end in U+001F.
import { Unreadable } from "./errors.js";

const FIELD_END = "\x1f";
const VARINT_BYTES = 9;

export class Reader {
  #raw;
  #text;
  #rawAt = 0;
  #textAt = 0;

  constructor(raw, text) {
    this.#raw = raw;
    this.#text = text;
  }

  take(size) {
    const end = this.#rawAt + size;
    if (end > this.#raw.length) throw new Unreadable("the QR payload is cut off: its raw bytes end too early");
    const data = this.#raw.slice(this.#rawAt, end);
    this.#rawAt = end;
    return data;
  }

  /** The next unsigned LEB128 number, which must be in its shortest form. */
  takeInt() {
    let value = 0n;
    for (let position = 0; position < VARINT_BYTES; position++) {
      const [byte] = this.take(1);
      value |= BigInt(byte & 0x7f) << BigInt(7 * position);
      if (byte < 0x80) {
        if (byte === 0 && position)
          throw new Unreadable("the QR payload is damaged: a number is longer than it needs to be");
        if (value > BigInt(Number.MAX_SAFE_INTEGER)) break;
        return Number(value);
      }
    }
    throw new Unreadable("the QR payload is damaged: a number is too large");
  }

  takeText() {
    const end = this.#text.indexOf(FIELD_END, this.#textAt);
    if (end < 0) throw new Unreadable("the QR payload is cut off: its text ends too early");
    const value = this.#text.slice(this.#textAt, end);
    this.#textAt = end + 1;
    return value;
  }

  rest() {
    return this.take(this.#raw.length - this.#rawAt);
  }

  finish() {
    if (this.#rawAt !== this.#raw.length || this.#textAt !== this.#text.length)
      throw new Unreadable("the QR payload has data left over after its last field");
  }
}
