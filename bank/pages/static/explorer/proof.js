// The proof of an entry, worked out in the visitor's own browser by the verifier's modules.
import { concat, equal, fromBase64url, hex, utf8 } from "/v/core/bytes.js";
import { encode, parseExact } from "/v/core/canonical.js";
import { fromMultikey } from "/v/core/ed25519.js";
import { openNote, parseCheckpoint } from "/v/core/note.js";
import { parseReceipt } from "/v/core/receipt.js";
import { leafHash, rootFromInclusion } from "/v/core/tree.js";
import { openTrust } from "/v/core/trust.js";

const box = document.querySelector("[data-proof]");
const steps = box.querySelector("[data-steps]");
const verdict = box.querySelector("[data-verdict]");
const texts = Object.fromEntries([...box.querySelectorAll("[data-text]")].map((item) => [item.dataset.text, item.textContent]));
const index = Number(box.dataset.proof);

async function bytes(address) {
  const response = await fetch(address, { cache: "no-store" });
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

box.querySelector("[data-check]").addEventListener("click", async ({ target }) => {
  target.disabled = true;
  steps.replaceChildren();
  verdict.hidden = true;
  try {
    const enough = await prove();
    conclude(enough ? "good" : "warn", enough ? texts.good : texts.few);
  } catch (error) {
    step("✗", error.message, "");
    conclude("bad", texts.bad);
  }
  target.disabled = false;
});

/** Whether enough witnesses stand behind it; throws where a step does not hold. */
async function prove() {
  const [entry, receiptBytes, trustBytes] = await Promise.all([
    bytes(`/ledger/entries/${index}`), bytes(`/ledger/entries/${index}/receipt`), bytes("/trust.json"),
  ]);
  const leaf = leafHash(entry);
  step("✓", texts.leaf, hex(leaf));
  const receipt = parseReceipt(new TextDecoder().decode(receiptBytes));
  if (receipt.index !== index || !equal(receipt.entry, entry)) throw new Error("the receipt is of another entry than the one fetched");
  step("✓", texts.same, `${receipt.path.length} × SHA-256`);
  const trust = await openTrust(trustBytes);
  const note = await openNote(receipt.checkpoint, [...trust.logKeys, ...trust.witnesses.map(({ key }) => key)]);
  const checkpoint = parseCheckpoint(note.text);
  const root = rootFromInclusion(leaf, index, checkpoint.size, receipt.path);
  if (!equal(root, checkpoint.root)) throw new Error("the path leads to another root than the signed one");
  step("✓", texts.root, hex(root));
  if (checkpoint.origin !== trust.origin) throw new Error(`the checkpoint is of another log: ${checkpoint.origin}`);
  const own = note.signatures.filter(({ key }) => trust.logKeys.includes(key));
  if (!own.length) throw new Error("the checkpoint is not signed by the log's own key");
  step("✓", texts.log, `${checkpoint.origin} · ${checkpoint.size}`);
  await authors(entry);
  const operators = new Set(trust.witnesses.filter(({ key }) => note.signatures.some((one) => one.key === key)).map(({ operator }) => operator));
  step(operators.size >= trust.quorum ? "✓" : "·", texts.witnesses, `${[...operators].join(", ") || "0"} (≥ ${trust.quorum})`);
  return operators.size >= trust.quorum;
}

async function authors(entry) {
  const { statement, signatures } = parseExact(entry);
  const message = concat(utf8("creditbank statement v1\n"), utf8(encode(statement)));
  for (const { key, value } of signatures) await fromMultikey(key).verify(message, fromBase64url(value, 64));
  step("✓", texts.author, signatures.map(({ key }) => key).join(" "));
}

function step(mark, text, detail) {
  const item = document.createElement("li");
  item.append(`${mark} ${text} `);
  if (detail) {
    const code = document.createElement("code");
    code.textContent = detail;
    item.append(document.createElement("br"), code);
  }
  steps.append(item);
}

function conclude(kind, text) {
  verdict.className = `note ${kind}`;
  verdict.textContent = text;
  verdict.hidden = false;
}
