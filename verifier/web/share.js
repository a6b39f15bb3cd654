// A share link: its owner chose what the bank sends, and this page checks each of it.
import { isOneFile } from "./assets.js";
import { Unreadable } from "./core/errors.js";
import { readBundles } from "./core/evidence.js";

const MARK = "share=";
const ENDED = { 404: "shareNone", 410: "shareOver" };

/** The secret in a URL's fragment, or null where the fragment is another one. */
export const shareOf = (fragment) => (fragment.startsWith(MARK) ? fragment.slice(MARK.length) : null);

/** The evidence under a share link. */
export async function readShare(secret, say) {
  if (!/^[\w-]{1,64}$/.test(secret)) throw new Unreadable(say("shareNone"));
  if (isOneFile()) throw new Unreadable(say("shareOffline"));
  let response;
  try {
    response = await fetch(`../s/${secret}`, { cache: "no-store", credentials: "omit", headers: { Accept: "application/json" } });
  } catch {
    throw new Unreadable(say("shareOffline"));
  }
  if (!response.ok) throw new Unreadable(say(ENDED[response.status] ?? "shareOffline"));
  return readBundles(new Uint8Array(await response.arrayBuffer()), say("shareName"));
}
