// A share link: its owner chose what the bank sends, and this page checks each of it.
import { isOneFile } from "./assets.js";
import { readBundles } from "./core/evidence.js";
import { Told } from "./words.js";

const MARK = "share=";
const ENDED = { 404: "shareNone", 410: "shareOver" };

/** The secret in a URL's fragment, or null where the fragment is another one. */
export const shareOf = (fragment) => (fragment.startsWith(MARK) ? fragment.slice(MARK.length) : null);

/** The evidence under a share link. */
export async function readShare(secret) {
  if (!/^[\w-]{1,64}$/.test(secret)) throw new Told("shareNone");
  if (isOneFile()) throw new Told("shareOffline");
  let response;
  try {
    response = await fetch(`../s/${secret}`, { cache: "no-store", credentials: "omit", headers: { Accept: "application/json" } });
  } catch {
    throw new Told("shareOffline");
  }
  if (!response.ok) throw new Told(ENDED[response.status] ?? "shareOffline");
  return readBundles(new Uint8Array(await response.arrayBuffer()), "what this link shows");
}
