// The trust bundle: all a verifier must know of a credit bank, in one signed file (verifier/trust.py).
import { equal, fromBase64url, hex, utf8 } from "./bytes.js";
import { encode, isObject, parseExact } from "./canonical.js";
import { fromMultikey } from "./ed25519.js";
import { checkStatementSignatures, isTime } from "./entry.js";
import { BadTrust, Fault } from "./errors.js";
import { openNote, parseCheckpoint, parseVerifierKey } from "./note.js";
import { LANDMARK_WIDTH } from "./receipt.js";
import { rootOfNodes } from "./tree.js";
import { sha256 } from "../vendor/noble.js";

const CONTEXT = "creditbank trust v1\n";
const LIMIT = 64 * 1024 * 1024;
const MOST_KEYS = 100;

/**
 * The trust bundle of its exact bytes, its signatures checked; BadTrust otherwise.
 *
 * `root` is the pinned fingerprint of a governance root, from which the bundle's rotations must lead
 * to its own; without it the bundle's own governance is believed, which is only right for whoever
 * chose the bundle on purpose.
 */
export async function openTrust(bytes, root = null) {
  try {
    const bundle = parseExact(bytes, LIMIT);
    exactly(bundle, ["signatures", "trust"], "trust bundle");
    const trust = await read(bundle.trust);
    if (root !== null && !trust.roots.includes(root))
      throw new BadTrust(
        `the trust bundle is signed by another root than the pinned one: its governance is ${trust.fingerprint.slice(0, 16)}…, pinned is ${root.slice(0, 16)}…`,
      );
    await checkSignatures(bundle.signatures, bundle.trust, trust.governance);
    return { ...trust, digest: hex(sha256(bytes)) };
  } catch (error) {
    if (error instanceof Fault) throw new BadTrust(`the trust bundle is malformed: ${error.message}`);
    throw error;
  }
}

/**
 * BadTrust where a bundle does not agree with the one kept of its bank: {roots, version, digest}.
 * Never back to an older version or root, never to a root to which none leads (as TUF does).
 */
export function checkAgainstKept(trust, kept) {
  const same = trust.roots.filter((root, place) => root === kept.roots[place]).length;
  if (!trust.roots.some((root) => kept.roots.includes(root)))
    throw new BadTrust(
      `the trust bundle is signed by the wrong root: ${trust.origin} was pinned to ${kept.roots.at(-1).slice(0, 16)}… when it was first seen`,
    );
  if (same === trust.roots.length && same < kept.roots.length)
    throw new BadTrust(
      `the trust bundle is signed by the governance root of version ${same}, older than version ${kept.roots.length} already seen from this bank; get the newest`,
    );
  if (same < kept.roots.length)
    throw new BadTrust(
      "the trust bundle's governance roots are not those already seen from this bank: there are two histories of them; do not trust either, and report it",
    );
  if (trust.version < kept.version)
    throw new BadTrust(
      `the trust bundle is version ${trust.version}, older than version ${kept.version} already seen from this bank; get the newest`,
    );
  if (trust.version === kept.version && trust.digest !== kept.digest)
    throw new BadTrust(
      `there are two different trust bundles of version ${trust.version} of this bank; do not trust either, and report it`,
    );
}

/** The landmark over entry `index`, or null where there is none yet. */
export function landmarkOf(trust, index) {
  const number = Math.floor(index / LANDMARK_WIDTH);
  return number < trust.landmarks.length ? trust.landmarks[number] : null;
}

/** {start, width, node} of the complete subtree over entry `index` whose hash is known; null past the end. */
export function knownOver(trust, index) {
  const landmark = landmarkOf(trust, index);
  if (landmark) return { start: index - (index % LANDMARK_WIDTH), width: LANDMARK_WIDTH, node: landmark };
  const left = trust.known.size % LANDMARK_WIDTH;
  let start = trust.known.size - left;
  let place = 0;
  for (let width = LANDMARK_WIDTH / 2; width; width /= 2)
    if (left & width) {
      if (index >= start && index < start + width) return { start, width, node: trust.rest[place] };
      start += width;
      place += 1;
    }
  return null;
}

async function checkSignatures(signatures, trust, governance) {
  const message = utf8(CONTEXT + encode(trust));
  const signed = new Set();
  for (const item of list(signatures, "signatures")) {
    exactly(item, ["key", "value"], "a signature");
    if (!governance.keys.includes(item.key))
      throw new BadTrust(`the trust bundle is signed by a key that does not govern: ${String(item.key).slice(0, 60)}`);
    await fromMultikey(item.key).verify(message, fromBase64url(item.value, 64));
    signed.add(item.key);
  }
  if (signed.size < governance.threshold)
    throw new BadTrust(
      `the trust bundle has ${signed.size} signatures by its governance, it takes ${governance.threshold}`,
    );
}

/** Every root, from the first over each rotation; each is signed by the root before and by its own. */
async function walk(first, bank) {
  const optional = ["expires", "rotations"].filter((name) => Object.hasOwn(first, name));
  exactly(first, ["keys", "threshold", ...optional], "governance");
  const roots = [{ ...quorum(first), expires: "expires" in first ? time(first.expires, "governance.expires") : null }];
  if ("rotations" in first && !list(first.rotations, "rotations").length) throw wrong("rotations", "a list of some");
  for (const signed of first.rotations ?? []) roots.push(await rotated(roots, signed, bank));
  return roots;
}

async function rotated(roots, signed, bank) {
  exactly(signed, ["signatures", "statement"], "a rotation");
  const { signatures, statement } = signed;
  exactly(statement, ["author", "body", "suite", "type", "version"], "a rotation's statement");
  exactly(statement.body, ["expires", "governance", "version"], "a rotation's body");
  const { author, body, suite, type, version } = statement;
  if (author !== bank || type !== "governance.rotate" || suite !== "ed25519-jcs" || version !== 1)
    throw new BadTrust("the trust bundle has a rotation that is none of this bank's");
  exactly(body.governance, ["keys", "threshold"], "a rotation's governance");
  const [old, next] = [roots.at(-1), { ...quorum(body.governance), expires: time(body.expires, "expires") }];
  if (body.version !== roots.length + 1)
    throw new BadTrust(`a rotation goes to the next version of the root, ${roots.length + 1}; this one says ${body.version}`);
  const signers = await checkStatementSignatures(signatures, statement);
  for (const { keys, threshold } of [old, next])
    if (signers.filter((key) => keys.includes(key)).length < threshold)
      throw new BadTrust("a rotation takes a threshold of signatures of the old root and one of the new");
  if (!signers.every((key) => old.keys.includes(key) || next.keys.includes(key)))
    throw new BadTrust("a rotation is signed by keys of the old and the new root and nobody else");
  return next;
}

function quorum({ keys, threshold }) {
  for (const key of texts(keys, "governance.keys")) fromMultikey(key);
  number(threshold, "governance.threshold");
  if (threshold < 1 || threshold > keys.length || new Set(keys).size < keys.length || keys.length > MOST_KEYS)
    throw new BadTrust("the trust bundle's governance takes no signature at all, or names a key twice");
  return { keys, threshold, fingerprint: hex(sha256(utf8(encode({ keys, threshold })))) };
}

async function read(trust) {
  exactly(trust, [
    "bank", "checkpoint", "expires", "governance", "issued", "landmarks", "log_keys", "members", "next_update",
    "status_lists", "version", "witnesses", ...(Object.hasOwn(trust, "predecessor") ? ["predecessor"] : []),
  ], "trust");
  const { bank, witnesses } = trust;
  exactly(bank, ["did", "domain", "keys", "name", "origin"], "bank");
  exactly(witnesses, ["keys", "threshold"], "witnesses");
  for (const key of texts(bank.keys, "bank.keys")) fromMultikey(key);
  if (!isObject(trust.governance)) throw wrong("governance", "an object");
  const roots = await walk(trust.governance, bank.did);
  const governance = roots.at(-1);
  const result = {
    version: number(trust.version, "version"),
    issued: time(trust.issued, "issued"),
    nextUpdate: time(trust.next_update, "next_update"),
    expires: time(trust.expires, "expires"),
    bank: text(bank.did, "bank.did"),
    domain: text(bank.domain, "bank.domain"),
    origin: text(bank.origin, "bank.origin"),
    names: names(bank.name),
    bankKeys: bank.keys,
    governance,
    fingerprint: governance.fingerprint,
    roots: roots.map((root) => root.fingerprint),
    rootExpires: governance.expires,
    predecessor: "predecessor" in trust ? nonempty(trust.predecessor, "predecessor") : "",
    logKeys: texts(trust.log_keys, "log_keys").map(parseVerifierKey),
    members: byName(list(trust.members, "members").map(member), "did"),
    witnesses: list(witnesses.keys, "witnesses.keys").map((item) => {
      exactly(item, ["operator", "vkey"], "a witness");
      return { operator: text(item.operator, "operator"), key: parseVerifierKey(text(item.vkey, "vkey")) };
    }),
    quorum: number(witnesses.threshold, "witnesses.threshold"),
    statusLists: byName(list(trust.status_lists, "status_lists"), "id"),
    checkpoint: text(trust.checkpoint, "checkpoint"),
  };
  await checkLog(result, trust.landmarks);
  return result;
}

/** The checkpoint is by the log's own key, and the landmarks lead to its root. */
async function checkLog(result, landmarks) {
  exactly(landmarks, ["hashes", "rest"], "landmarks");
  const opened = await openNote(result.checkpoint, result.logKeys);
  const checkpoint = parseCheckpoint(opened.text);
  if (!opened.signatures.length || checkpoint.origin !== result.origin)
    throw new BadTrust("the trust bundle's checkpoint is not signed by the log it names");
  const hashes = split(landmarks.hashes);
  const rest = split(landmarks.rest);
  let peaks = 0;
  for (let left = checkpoint.size % LANDMARK_WIDTH; left; left >>= 1) peaks += left & 1;
  const fits = hashes.length === Math.floor(checkpoint.size / LANDMARK_WIDTH) && rest.length === peaks;
  if (!fits || !equal(rootOfNodes(hashes, rest), checkpoint.root))
    throw new BadTrust("the trust bundle's landmarks do not lead to its checkpoint's root");
  result.landmarks = hashes;
  result.rest = rest;
  result.known = checkpoint;
}

function split(encoded) {
  const bytes = fromBase64url(encoded);
  if (bytes.length % 32) throw new BadTrust("a landmark's hash in the trust bundle is cut short");
  return Array.from({ length: bytes.length / 32 }, (_, place) => bytes.subarray(32 * place, 32 * place + 32));
}

function member(value) {
  const attested = Object.hasOwn(value, "attested") ? texts(value.attested, "attested") : [];
  exactly(value, ["did", "grants", "keys", "name", "standing", ...(attested.length ? ["attested"] : [])], "a member");
  if (encode([...new Set(attested)].sort()) !== encode(attested)) throw wrong("attested", "in order");
  if (!["active", "suspended"].includes(value.standing)) throw new BadTrust("a member's standing is not known");
  return {
    did: text(value.did, "did"),
    names: names(value.name),
    active: value.standing === "active",
    keys: list(value.keys, "keys").map(period),
    grants: list(value.grants, "grants").map(grant),
    attested: new Set(attested),
  };
}

function period(value) {
  exactly(value, ["from", "key", ...["suspect_at", "suspect_from", "until"].filter((name) => Object.hasOwn(value, name))], "a key");
  const optional = (name) => (Object.hasOwn(value, name) ? number(value[name], name) : null);
  return {
    key: text(value.key, "key"),
    start: number(value.from, "from"),
    end: optional("until"),
    suspectFrom: optional("suspect_from"),
    suspectAt: optional("suspect_at"),
  };
}

function grant(value) {
  exactly(value, ["fields", "from", "from_index", "level", "until"], "a grant");
  if (!/^(0|[1-9][0-9]*)$/.test(text(value.level, "level"))) throw new BadTrust("a grant's level is not a number");
  return {
    index: number(value.from_index, "from_index"),
    fields: texts(value.fields, "fields"),
    level: Number(value.level),
    start: text(value.from, "from"),
    until: text(value.until, "until"),
  };
}

function byName(items, name) {
  const found = new Map();
  for (const item of items) {
    const key = isObject(item) ? item[name] : undefined;
    if (typeof key !== "string" || found.has(key)) throw new BadTrust(`the trust bundle names one twice, or has no ${name}`);
    found.set(key, item);
  }
  return found;
}

function exactly(value, fields, what) {
  if (!isObject(value) || encode(Object.keys(value).sort()) !== encode([...fields].sort()))
    throw new BadTrust(`the trust bundle's ${what} has not exactly the fields ${fields.join(", ")}`);
}

function wrong(field, what) {
  return new BadTrust(`the trust bundle's ${field} is not ${what}`);
}

function text(value, field) {
  if (typeof value !== "string") throw wrong(field, "text");
  return value;
}

function nonempty(value, field) {
  if (text(value, field) === "") throw wrong(field, "some text");
  return value;
}

function texts(value, field) {
  return list(value, field).map((item) => text(item, field));
}

function list(value, field) {
  if (!Array.isArray(value)) throw wrong(field, "a list");
  return value;
}

function number(value, field) {
  if (!Number.isSafeInteger(value) || value < 0) throw wrong(field, "a whole number");
  return value;
}

function time(value, field) {
  if (!isTime(value)) throw wrong(field, "a time");
  return Date.parse(value);
}

function names(value) {
  exactly(value, ["en", "zh"], "name");
  return { en: text(value.en, "name.en"), zh: text(value.zh, "name.zh") };
}

