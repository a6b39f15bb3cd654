// What the page keeps in the browser: each bank's newest trust bundle, and nothing else.
//
// A bundle is one record, so its parts are all swapped at once. Where the browser keeps nothing for
// this page, bundles last as long as it is open.
import { BadTrust } from "./core/errors.js";
import { checkAgainstKept, openTrust } from "./core/trust.js";

const STORE = "trust";

/** The trust bundles kept, by the origin of their bank's log. */
export class TrustStore {
  #database;
  #open = new Map();

  static async open() {
    const store = new TrustStore();
    store.#database = await openDatabase();
    for (const { bytes } of await store.#all()) {
      const trust = await openTrust(bytes);
      store.#open.set(trust.origin, trust);
    }
    return store;
  }

  get bundles() {
    return [...this.#open.values()];
  }

  /**
   * Take a bundle in; its Trust. BadTrust where it is bad, of another root, or rolled back.
   *
   * Where its bank is a new one `agree` is asked first; null if it does not.
   */
  async add(bytes, agree = async () => true) {
    const trust = await openTrust(bytes);
    const kept = this.#open.get(trust.origin);
    if (kept?.digest === trust.digest) return kept;
    if (kept) checkAgainstKept(trust, kept);
    else if (!(await agree(trust))) return null;
    await this.#put({ origin: trust.origin, bytes });
    this.#open.set(trust.origin, trust);
    return trust;
  }

  /** The bundle to check evidence with: of the bank that knows its issuer and the receipt's log, else the first. */
  forEvidence({ credential, receipt }) {
    const known = this.bundles.filter((trust) => trust.members.has(credential?.issuer?.id));
    // A bank whose log had to end has another, and its members are in both.
    const isOf = ({ origin }) => [`\n${origin}\n`, `\norigin ${origin}\n`].some((line) => receipt?.includes(line));
    return known.find(isOf) ?? known[0] ?? this.bundles[0];
  }

  async #all() {
    if (!this.#database) return [];
    return request(this.#database.transaction(STORE).objectStore(STORE).getAll());
  }

  async #put(record) {
    if (!this.#database) return;
    const change = this.#database.transaction(STORE, "readwrite");
    const before = await request(change.objectStore(STORE).get(record.origin));
    // Another tab may have taken in a newer one meanwhile.
    if (before) checkAgainstKept(await openTrust(record.bytes), await openTrust(before.bytes));
    const again = this.#database.transaction(STORE, "readwrite", { durability: "strict" });
    await request(again.objectStore(STORE).put(record));
  }
}

function openDatabase() {
  return new Promise((resolve) => {
    try {
      const opening = indexedDB.open("creditbank-verifier", 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "origin" });
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = () => resolve(null);
      opening.onblocked = () => resolve(null);
    } catch {
      resolve(null);
    }
  });
}

function request(asked) {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(new BadTrust("the browser could not keep the trust bundle; its storage may be full"));
  });
}
