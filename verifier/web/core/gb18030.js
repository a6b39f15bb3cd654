// GB 18030 as QR codes use it: ASCII, common hanzi and a few marks, two bytes for a character.
import { Fault } from "./errors.js";

const MARKS = "·—“”…　、。《》「」【】！（），：；？";
let codes = null;

/** Whether all of a text has one and the same code in every edition of the standard. */
export const isPlain = (text) =>
  [...text].every((char) => char < "\x80" || (char >= "\u4e00" && char <= "\u9fa5") || MARKS.includes(char));

export function decode(bytes) {
  try {
    return new TextDecoder("gb18030", { fatal: true }).decode(bytes);
  } catch {
    throw new Fault("text is not GB 18030");
  }
}

/** The bytes of a text that is plain; the browser only decodes, so its table is turned round. */
export function encode(text) {
  codes ??= table();
  return Uint8Array.from([...text].flatMap((char) => (char < "\x80" ? [char.charCodeAt(0)] : codes.get(char))));
}

function table() {
  const decoder = new TextDecoder("gb18030");
  const found = new Map();
  for (let high = 0x81; high <= 0xfe; high++)
    for (let low = 0x40; low <= 0xfe; low++) {
      if (low === 0x7f) continue;
      const char = decoder.decode(Uint8Array.of(high, low));
      if (char.length === 1 && !found.has(char)) found.set(char, [high, low]);
    }
  return found;
}
