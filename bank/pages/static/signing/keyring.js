// The keys that this browser keeps for an institution: CryptoKeys in IndexedDB, which scripts can use
// and nobody can copy out. Forgetting them here destroys nothing: the keystore files remain.
const NAME = "creditbank-keys";

/** The keys kept for an institution in a role, `signing` or `approving`; null if there are none. */
export async function kept(institution, role) {
  return (await transact("readonly", (store) => store.get(`${institution} ${role}`))) ?? null;
}

export async function keep(institution, role, keys) {
  await transact("readwrite", (store) => store.put(keys, `${institution} ${role}`));
}

export async function forget(institution, role) {
  await transact("readwrite", (store) => store.delete(`${institution} ${role}`));
}

function transact(mode, act) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("keys");
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction("keys", mode);
      const request = act(transaction.objectStore("keys"));
      transaction.oncomplete = () => {
        database.close();
        resolve(request.result);
      };
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    };
  });
}
