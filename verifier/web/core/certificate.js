// The bundle attached to a certificate's PDF (ISO 32000-2, section 7.11.4), and nothing else of it.
//
// Streams of embedded files stand directly in a PDF, whatever holds the rest, so they are found by
// their own dictionaries. Whichever attachment is a bundle is checked like any other bundle.
import { Fault } from "./errors.js";
import { unzlib } from "./inflate.js";

const MOST_PDF = 16 * 1024 * 1024;
const MOST = 1024 * 1024;
const EMBEDDED = /<<((?:[^<>]|<<[^<>]*>>|<[0-9A-Fa-f\s]*>)*\/Type\s*\/EmbeddedFile\b(?:[^<>]|<<[^<>]*>>|<[0-9A-Fa-f\s]*>)*)>>\s*stream\r?\n/g;

/** The bytes of the one JSON attachment of a PDF; Fault where there is none, or more than one. */
export async function readAttachment(bytes) {
  if (bytes.length > MOST_PDF) throw new Fault(`the PDF has ${bytes.length} bytes; no certificate is over ${MOST_PDF}`);
  const text = new TextDecoder("latin1").decode(bytes);
  if (/\/Encrypt\b/.test(text)) throw new Fault("the PDF is encrypted; a certificate is not");
  const found = [];
  for (const match of text.matchAll(EMBEDDED)) {
    const start = match.index + match[0].length;
    const end = text.indexOf("endstream", start);
    if (end < 0) throw new Fault("the PDF is damaged and cannot be read");
    const length = /\/Length\s+([0-9]+)(?!\s+[0-9]+\s+R)/.exec(match[1]);
    const stream = bytes.subarray(start, length ? start + Number(length[1]) : end);
    const content = /\/FlateDecode\b/.test(match[1]) ? await unzlib(trimmed(stream, length), MOST) : stream;
    if (content[0] === 0x7b) found.push(content);
  }
  if (!found.length) throw new Fault("the PDF has no bundle attached: it is no certificate");
  if (found.length > 1) throw new Fault(`the PDF has ${found.length} bundles attached; it has one`);
  if (found[0].length > MOST) throw new Fault(`what is attached to the PDF is over ${MOST} bytes`);
  return found[0];
}

/** Without the end of line before `endstream`, where the stream's length is not known. */
function trimmed(stream, length) {
  let end = stream.length;
  while (!length && end && (stream[end - 1] === 0x0a || stream[end - 1] === 0x0d)) end--;
  return stream.subarray(0, end);
}
