// What every signing page shares: keys unlocked or kept, the institution they are of, and requests.
import { canonicaliser } from "/v/core/rdf.js";
import { encode } from "/v/core/canonical.js";
import { Institution } from "./institution.js";
import { KeystoreFault, RECORDS, SIGNING, keysFrom, open, purposeOf } from "./keystore.js";
import { keep, kept } from "./keyring.js";
import { shapedCanonicaliser } from "./nquads.js";

const token = () => document.querySelector('meta[name="form-token"]').content;

/** Send JSON in its canonical form; the answer, or an Error with the server's sentence. */
export async function send(address, value) {
  const headers = { "Content-Type": "application/json", Accept: "application/json", "X-Form-Token": token() };
  const response = await fetch(address, { method: "POST", headers, body: encode(value) });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.detail || `${response.status}`);
  return answer;
}

export async function get(address) {
  const response = await fetch(address, { headers: { Accept: "application/json" } });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.detail || `${response.status}`);
  return answer;
}

export const formToken = token;

/** What the page says of the institution: {domain, names, slug, keys}. */
export function about() {
  return JSON.parse(document.getElementById("institution").textContent);
}

/** A function that makes canonical N-Quads, by shapes first. */
export async function canonicalise() {
  const shapes = await get(document.getElementById("institution").dataset.shapes);
  let contexts;
  const whole = async (document) => {
    contexts ??= await get("/v/data/contexts.json");
    return canonicaliser(() => import("/v/vendor/jsonld.js"), contexts)(document);
  };
  return shapedCanonicaliser(shapes, whole);
}

/** The institution with keys. */
export async function institution(keys) {
  return new Institution(keys, about(), await canonicalise());
}

/** Have the page's key box call `ready(keys)` once there are keys to sign with. */
export async function unlocking(ready) {
  const box = document.querySelector("[data-keys]");
  if (!box) return;
  const role = box.dataset.keys;
  const { slug, keys: registered } = about();
  const words = Object.fromEntries([...box.querySelectorAll("[data-word]")].map((item) => [item.dataset.word, item.textContent]));
  const fault = box.querySelector("[data-fault]");
  const tell = (code) => {
    fault.textContent = words[code] ?? code;
    fault.hidden = false;
  };
  const use = (keys) => {
    if (!registered.includes(keys.multikey)) return tell("unknown");
    box.querySelector("[data-kept]").hidden = false;
    box.querySelector("[data-multikey]").textContent = keys.multikey;
    box.querySelector("[data-open]").hidden = true;
    fault.hidden = true;
    ready(keys);
  };
  const known = await kept(slug, role);
  if (known) use(known);
  const button = box.querySelector("[data-unlock]");
  button.addEventListener("click", async () => {
    fault.hidden = true;
    button.disabled = true;
    try {
      const keys = await opened(box, role);
      if (registered.includes(keys.multikey) && box.querySelector("#keep").checked) await keep(slug, role, keys);
      use(keys);
    } catch (error) {
      if (error instanceof KeystoreFault) tell(error.message);
      else if (error.name === "NotSupportedError") tell("no-ed25519");
      else tell(error.message);
    }
    button.disabled = false;
  });
  // Until here a click would have been lost.
  button.disabled = false;
}

async function opened(box, role) {
  const files = [...box.querySelector("#keystores").files];
  const passphrase = box.querySelector("#passphrase").value;
  const byPurpose = new Map();
  for (const file of files) {
    const data = new Uint8Array(await file.arrayBuffer());
    const purpose = purposeOf(data);
    if (purpose === null) throw new KeystoreFault("format");
    byPurpose.set(purpose, data);
  }
  const needed = role === "signing" ? [SIGNING, RECORDS] : [SIGNING];
  if (needed.some((purpose) => !byPurpose.has(purpose))) throw new KeystoreFault("purpose");
  const [seed, records] = await Promise.all(needed.map((purpose) => open(byPurpose.get(purpose), passphrase, purpose)));
  return keysFrom(seed, records);
}
