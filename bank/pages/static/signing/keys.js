// Keys in this browser: which there are, forgetting them, and making a new one.
import { encode } from "/v/core/canonical.js";
import { about } from "./desk.js";
import { forget, kept } from "./keyring.js";
import { SIGNING, keysFrom, make } from "./keystore.js";

const list = document.querySelector("[data-kept-keys]");
const template = list.querySelector("[data-item]");
const { slug } = about();

for (const role of ["signing", "approving"]) {
  const keys = await kept(slug, role);
  if (!keys) continue;
  list.querySelector("[data-none]").hidden = true;
  const item = template.content.firstElementChild.cloneNode(true);
  item.querySelector("code").textContent = keys.multikey;
  item.querySelector("span").textContent = role;
  item.querySelector("button").addEventListener("click", async () => {
    await forget(slug, role);
    location.reload();
  });
  list.querySelector("[data-list]").append(item);
}

const box = document.querySelector("[data-new-key]");
const problem = box.querySelector("[data-problem]");

box.querySelector("[data-make]").addEventListener("click", async ({ target }) => {
  problem.hidden = true;
  const passphrase = box.querySelector("#new-passphrase").value;
  if (passphrase.length < 12) {
    problem.textContent = problem.dataset.short;
    problem.hidden = false;
    return;
  }
  target.disabled = true;
  const hand = box.querySelector("input[name=hand]:checked").value;
  const seed = crypto.getRandomValues(new Uint8Array(32));
  const { multikey } = await keysFrom(seed, null);
  const name = hand === "approver" ? "approver.keystore" : "signing.keystore";
  save(name, await make(seed, passphrase, SIGNING));
  const request = { type: "key.add", body: { key: multikey, member: box.dataset.member, person: hand } };
  box.querySelector("[data-request]").textContent = encode(request);
  box.querySelector("[data-made]").hidden = false;
  target.disabled = false;
});

box.querySelector("[data-copy]").addEventListener("click", () => navigator.clipboard.writeText(box.querySelector("[data-request]").textContent));

function save(name, data) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([data], { type: "application/json" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
