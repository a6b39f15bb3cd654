// Receipts: C2SP tlog-proof, and the landmark proof that a QR code carries.
import { base64, fromBase64 } from "./bytes.js";
import { Fault } from "./errors.js";

const TLOG_PROOF = "c2sp.org/tlog-proof@v1";
const LANDMARK_PROOF = "creditbank landmark-proof v1";
const MOST_NODES = 63;
export const LANDMARK_WIDTH = 256;
export const LANDMARK_HEIGHT = 8;

/** The text of a landmark receipt. */
export function formatLandmark({ entry, origin, index, path }) {
  const lines = [LANDMARK_PROOF, `extra ${base64(entry)}`, `origin ${origin}`, `index ${index}`];
  return `${[...lines, ...path.map(base64)].join("\n")}\n`;
}

/** The text of a tlog-proof. */
export function formatReceipt({ entry, index, path, checkpoint }) {
  const lines = [TLOG_PROOF, `extra ${base64(entry)}`, `index ${index}`, ...path.map(base64)];
  return `${lines.join("\n")}\n\n${checkpoint}`;
}

/**
 * {entry, index, path} of a receipt's text, with `checkpoint` (a signed note) if it is a
 * tlog-proof, with `origin` if it is a landmark proof; Fault unless it is in its canonical form.
 */
export function parseReceipt(text) {
  const receipt = text.startsWith(LANDMARK_PROOF) ? parseLandmark(text) : parseTlogProof(text);
  const again = "origin" in receipt ? formatLandmark(receipt) : formatReceipt(receipt);
  if (receipt.path.some((node) => node.length !== 32) || again !== text)
    throw new Fault("the receipt is not in its one canonical form");
  return receipt;
}

function parseTlogProof(text) {
  const end = text.indexOf("\n\n");
  const lines = text.slice(0, end).split("\n");
  if (end < 0 || lines[0] !== TLOG_PROOF) throw new Fault("not a receipt: it does not begin as a tlog-proof");
  if (lines.length < 3 || lines.length > MOST_NODES + 3)
    throw new Fault("the receipt is cut short, or its path is too long");
  return {
    entry: fromBase64(field(lines[1], "extra")),
    index: number(field(lines[2], "index")),
    path: lines.slice(3).map(fromBase64),
    checkpoint: text.slice(end + 2),
  };
}

function parseLandmark(text) {
  const lines = text.split("\n");
  if (lines.length !== 5 + LANDMARK_HEIGHT || lines[0] !== LANDMARK_PROOF)
    throw new Fault("not a receipt: it is no landmark proof, or one cut short");
  return {
    entry: fromBase64(field(lines[1], "extra")),
    origin: field(lines[2], "origin"),
    index: number(field(lines[3], "index")),
    path: lines.slice(4, -1).map(fromBase64),
  };
}

function field(line, name) {
  if (!line.startsWith(`${name} `)) throw new Fault(`the receipt lacks its ${name}`);
  return line.slice(name.length + 1);
}

function number(digits) {
  if (!/^(0|[1-9][0-9]{0,15})$/.test(digits) || !Number.isSafeInteger(Number(digits)))
    throw new Fault("the receipt's index is not a number of the ledger");
  return Number(digits);
}
