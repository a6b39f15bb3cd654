// Status lists (Bitstring Status List 1.0), as the trust bundle carries them.
import { fromBase64url } from "./bytes.js";
import { encode, isObject } from "./canonical.js";
import { Fault } from "./errors.js";
import { gunzip } from "./inflate.js";

const LENGTH = 131072;
const MOST_BYTES = 16 * 1024 * 1024;
export const REVOCATION = "revocation";
export const SUSPENSION = "suspension";

/** The `credentialStatus` of place `index` in the list at `url`. */
export const statusEntry = (url, index) => ({
  id: `${url}#${index}`,
  statusListCredential: url,
  statusListIndex: String(index),
  statusPurpose: REVOCATION,
  type: "BitstringStatusListEntry",
});

/** {url, index} that a `credentialStatus` names; Fault unless it is exactly such an entry. */
export function slotOf(entry) {
  if (isObject(entry)) {
    const { statusListCredential: url, statusListIndex: index } = entry;
    const isSlot = typeof url === "string" && typeof index === "string" && /^(0|[1-9][0-9]{0,8})$/.test(index);
    if (isSlot && encode(statusEntry(url, index)) === encode(entry)) return { url, index: Number(index) };
  }
  throw new Fault("the credential's status entry is not a BitstringStatusListEntry");
}

export const listUrl = (domain, number) => `https://${domain}/status/${number}`;

/** The bits in a list credential whose proofs were verified before. */
export async function readStatusList(document, purpose) {
  const subject = document.credentialSubject;
  if (!isObject(subject) || subject.type !== "BitstringStatusList") throw new Fault("not a status list credential");
  if (subject.statusPurpose !== purpose) throw new Fault(`the status list is not for ${purpose}`);
  const encoded = subject.encodedList;
  if (typeof encoded !== "string" || !encoded.startsWith("u")) throw new Fault("the status list has no encodedList");
  const bits = await gunzip(fromBase64url(encoded.slice(1)), MOST_BYTES);
  if (bits.length < LENGTH / 8) throw new Fault(`the status list has ${8 * bits.length} entries, under ${LENGTH}`);
  return bits;
}

/** Whether the bit at `index` is set; Fault where there is none. */
export function isSet(bits, index) {
  if (index >= 8 * bits.length) throw new Fault(`the status list has no entry ${index}`);
  return Boolean(bits[index >> 3] & (0x80 >> (index & 7)));
}
