// A holder's key kept in this browser: made by WebCrypto so that nobody can copy it out, not even
// this page. The bank is shown a proof that the key is here, and binds it to the learner's record.
const DATABASE = "creditbank-holder";
const STORE = "keys";
const text = new TextEncoder();
const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

function open() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "name" });
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}

async function change(mode, act) {
  const database = await open();
  try {
    const change = database.transaction(STORE, mode);
    const asked = act(change.objectStore(STORE));
    await new Promise((resolve, reject) => {
      change.oncomplete = resolve;
      change.onabort = change.onerror = () => reject(change.error);
    });
    return asked.result;
  } finally {
    database.close();
  }
}

const kept = () => change("readonly", (store) => store.getAll());
const keep = (record) => change("readwrite", (store) => store.put(record));
const drop = (name) => change("readwrite", (store) => store.delete(name));

async function post(address, fields) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  const token = document.querySelector('meta[name="form-token"]')?.content ?? "";
  const response = await fetch(address, { method: "POST", body, headers: { Accept: "application/json", "X-Form-Token": token } });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.detail || `${response.status}`);
  return answer;
}

/** A proof that the key is here, as wallets give one (OpenID4VCI 1.0, appendix F.1). */
async function proof({ privateKey }, x, { issuer, nonce, time }) {
  const header = { alg: "EdDSA", typ: "openid4vci-proof+jwt", jwk: { crv: "Ed25519", kty: "OKP", x } };
  const parts = [header, { aud: issuer, iat: time, nonce }].map((part) => base64url(text.encode(JSON.stringify(part))));
  const signature = await crypto.subtle.sign("Ed25519", privateKey, text.encode(parts.join(".")));
  return [...parts, base64url(signature)].join(".");
}

async function bind({ bind: address, challenge }) {
  const keys = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
  const name = base64url(await crypto.subtle.exportKey("raw", keys.publicKey));
  // Kept first: a key that is bound and was then lost would be of no use to anybody.
  await keep({ name, did: "", keys });
  try {
    const { did, next } = await post(address, { proof: await proof(keys, name, await post(challenge, {})) });
    await keep({ name, did, keys });
    return next;
  } catch (error) {
    await drop(name);
    throw error;
  }
}

const problem = document.getElementById("key-problem");
for (const button of document.querySelectorAll("[data-bind]")) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    problem.hidden = true;
    try {
      const next = await bind(button.dataset);
      // The address differs by its fragment alone, which by itself would load nothing.
      location.assign(next);
      location.reload();
    } catch (error) {
      const isUnable = error instanceof DOMException || error instanceof TypeError;
      problem.textContent = isUnable ? problem.dataset.unable : error.message;
      problem.hidden = false;
      button.disabled = false;
    }
  });
}

for (const form of document.querySelectorAll("[data-forget]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const own = await kept().catch(() => []);
    for (const { name, did } of own) if (did === form.dataset.forget) await drop(name).catch(() => {});
    form.submit();
  });
}

for (const form of document.querySelectorAll("[data-forget-all]"))
  form.addEventListener("submit", () => {
    if (form.elements.confirm.value.trim().toLowerCase() === form.dataset.forgetAll) indexedDB.deleteDatabase(DATABASE);
  });

const rows = document.querySelectorAll("[data-did]");
if (rows.length) {
  const own = await kept().catch(() => []);
  for (const row of rows)
    if (own.some(({ did }) => did === row.dataset.did)) row.querySelector("[data-here]").hidden = false;
}
document.documentElement.dataset.holder = "ready";
