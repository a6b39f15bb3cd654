// Verification: evidence and a trust bundle in, a report out. No clock, file or network of its own.
import { base64url, equal, utf8 } from "./bytes.js";
import { encode, without } from "./canonical.js";
import { readCredential } from "./document.js";
import { readAwardEntry } from "./entry.js";
import { Fault } from "./errors.js";
import { day, parseMoment, stamp } from "./moment.js";
import { openNote, parseCheckpoint } from "./note.js";
import { passed, verifyProofs } from "./proofs.js";
import { LANDMARK_WIDTH, parseReceipt } from "./receipt.js";
import { CAUTION, check, FAILED, NOT_CHECKED, PASSED, UNKNOWN, verdict } from "./report.js";
import { hiddenCharacters, mixesAlphabets, shown } from "./spelling.js";
import { isSet, listUrl, readStatusList, REVOCATION, slotOf, statusEntry, SUSPENSION } from "./status.js";
import { leafHash, rootFromInclusion } from "./tree.js";
import { knownOver, landmarkOf } from "./trust.js";
import { sha256 } from "../vendor/noble.js";

const AFTER_FORMAT = ["signature", "issuer", "ledger", "witnesses", "status", "validity", "holder"];
const DAY = 86_400_000;

/**
 * Check `evidence` ({credential, receipt, form}) against `trust` as of `at` (milliseconds).
 *
 * `canonicalise` gives a document's canonical N-Quads. Never throws over what the evidence says.
 */
export async function verify(evidence, trust, at, canonicalise) {
  const trusted = checkTrust(trust, at);
  let facts;
  try {
    facts = readCredential(evidence.credential);
  } catch (fault) {
    const skipped = AFTER_FORMAT.map((name) => check(name, NOT_CHECKED, "skipped"));
    return report(evidence, trust, at, {}, [failed("format", "format.bad", fault), ...skipped, trusted]);
  }
  const { check: signature, keys } = await checkSignature(evidence.credential, facts.issuer, at, canonicalise);
  const { check: ledger, entry, opened } = await checkLedger(evidence, facts, trust);
  return report(evidence, trust, at, subject(facts, trust, entry), [
    checkSpelling([facts.learner, facts.achievement]),
    signature,
    checkIssuer(facts, keys, entry, trust),
    ledger,
    checkWitnesses(opened, trust),
    await checkStatus(facts, trust, at, canonicalise),
    checkValidity(facts, at),
    check("holder", NOT_CHECKED, "holder.file"),
    trusted,
  ]);
}

function report(evidence, trust, at, about, checks) {
  return {
    verdict: verdict(checks), at: stamp(at), form: evidence.form, subject: about, checks,
    trust: { version: trust.version, issued: stamp(trust.issued) },
  };
}

function failed(name, code, fault) {
  if (!(fault instanceof Fault)) throw fault;
  return check(name, FAILED, code, { reason: fault.message.replace(/\.+$/, "") });
}

function subject(facts, trust, entry) {
  return {
    credential: shown(facts.identifier),
    learner: shown(facts.learner),
    achievement: shown(facts.achievement),
    credits: facts.credits === null ? "" : plainNumber(facts.credits),
    issuer: shown(facts.issuer),
    issuerNames: trust.members.get(facts.issuer)?.names ?? {},
    field: shown(facts.field),
    level: shown(facts.level),
    validFrom: day(facts.validFrom),
    validUntil: facts.validUntil === null ? "" : day(facts.validUntil),
    index: entry?.index ?? null,
  };
}

/** A number without an exponent. */
function plainNumber(value) {
  const [digits, exponent] = String(value).split("e");
  if (exponent === undefined) return digits;
  return value.toFixed(Math.max(0, Math.min(100, digits.replace(/^.*\.|^[0-9]+$/, "").length - Number(exponent))));
}

function checkSpelling(names) {
  const codes = hiddenCharacters(names.join(""));
  if (codes.length) return check("format", PASSED, "format.hidden", { codes: codes.join(", ") }, "", CAUTION);
  if (mixesAlphabets(names.join(" "))) return check("format", PASSED, "format.mixed", {}, "", CAUTION);
  return check("format", PASSED, "format.good");
}

/** Is the document as it was signed? Every proof that is understood must hold. */
async function checkSignature(credential, issuer, at, canonicalise) {
  const none = (found) => ({ check: found, keys: new Set() });
  const bad = (reason) => none(failed("signature", "signature.bad", new Fault(reason)));
  let results;
  try {
    results = await verifyProofs(credential, canonicalise);
    for (const { error, expires } of results) {
      if (error !== null) return bad(error);
      if (expires && parseMoment(expires, "expires") < at)
        return none(check("signature", FAILED, "signature.expired", { date: expires.slice(0, 10) }));
    }
  } catch (fault) {
    return none(failed("signature", "signature.bad", fault));
  }
  const good = results.filter(passed);
  const suites = results.filter((one) => !one.understood).map((one) => one.suite || "?").join(", ");
  if (!good.length) return none(check("signature", FAILED, "signature.unknown", { suites }));
  for (const { method } of good) {
    const [did] = method.split("#");
    if (did !== issuer) return bad(`the key belongs to ${did}, not ${issuer}`);
  }
  const keys = new Set(good.map(({ method }) => method.slice(method.indexOf("#") + 1)));
  const date = good[0].created.slice(0, 10);
  if (suites) return { check: check("signature", PASSED, "signature.partly", { suites }, date, CAUTION), keys };
  const known = good.map((one) => one.suite).join(", ");
  return { check: check("signature", PASSED, "signature.good", { suites: known }, date), keys };
}

/** Had the institution authority? Decided by the award's place in the ledger, never by a date. */
function checkIssuer(facts, keys, entry, trust) {
  const member = trust.members.get(facts.issuer);
  if (!member) return check("issuer", FAILED, "issuer.stranger", { did: facts.issuer });
  const values = { "name.en": member.names.en, "name.zh": member.names.zh };
  if (!keys.size && !entry) return check("issuer", NOT_CHECKED, "issuer.unproved", values);
  const attested = Boolean(entry) && member.attested.has(entry.statement);
  const fault = keyFault(member, keys, entry, attested);
  if (fault) return check("issuer", FAILED, fault, values);
  if (!entry) {
    if (!member.active) return check("issuer", FAILED, "issuer.suspended", values);
    return check("issuer", PASSED, "issuer.registered", values, day(trust.issued));
  }
  const date = entry.time.slice(0, 10);
  const granted = member.grants.some(
    (grant) =>
      grant.index < entry.index && (grant.fields.includes("*") || (entry.type !== "confer" && grant.fields.includes(facts.field))) &&
      Number(entry.award.level) <= grant.level && grant.start <= date && date <= grant.until,
  );
  return granted
    ? check("issuer", PASSED, inDoubt(member, keys, entry) ? "issuer.attested" : "issuer.good", values, date)
    : check("issuer", FAILED, "issuer.no-grant", values, date);
}

function keyFault(member, keys, entry, attested) {
  const periods = new Map(member.keys.map((period) => [period.key, period]));
  for (const key of entry ? new Set([...keys, ...entry.signers]) : keys) {
    const period = periods.get(key);
    if (!period) return "issuer.foreign-key";
    const good = entry ? goodAt(period, entry.index, attested) : period.end === null && period.suspectFrom === null;
    if (!good && entry && doubtfulAt(period, entry.index)) return "issuer.doubtful-key";
    if (!good) return "issuer.dead-key";
  }
  return null;
}

/** Whether an entry may be signed by a key; that its member attested it settles a doubt. */
function goodAt({ start, end, suspectFrom, suspectAt }, index, attested) {
  if (index < start || (end !== null && index >= end)) return false;
  if (suspectFrom === null || index < suspectFrom) return true;
  return attested && suspectAt !== null && index < suspectAt;
}

function doubtfulAt(period, index) {
  return !goodAt(period, index, false) && goodAt(period, index, true);
}

/** Whether a key that signed was reported as suspect over this entry. */
function inDoubt(member, keys, entry) {
  const used = new Set([...keys, ...entry.signers]);
  return member.keys.some((period) => used.has(period.key) && doubtfulAt(period, entry.index));
}

/** Is the award in the ledger? From the receipt alone. */
async function checkLedger({ credential, receipt }, facts, trust) {
  if (receipt === null) return { check: check("ledger", NOT_CHECKED, "ledger.none", {}, "", CAUTION) };
  try {
    const place = await placeOf(parseReceipt(receipt), trust);
    if (!place.opened) return { check: check("ledger", NOT_CHECKED, "ledger.early", { index: String(place.index) }, "", CAUTION) };
    const entry = await readAwardEntry(place.entry);
    if (entry.index !== place.index) throw new Fault(`the entry says it is ${entry.index}, the receipt ${place.index}`);
    compare(entry, credential, facts, trust);
    const values = { index: String(entry.index), origin: trust.origin };
    const date = entry.time.slice(0, 10);
    const { unknown } = place.opened;
    const found = unknown.length
      ? check("ledger", PASSED, "ledger.unknown-signer", { ...values, names: unknown.join(", ") }, date, CAUTION)
      : check("ledger", PASSED, "ledger.good", values, date);
    return { check: found, entry, opened: place.opened };
  } catch (fault) {
    return { check: failed("ledger", "ledger.bad", fault) };
  }
}

/** Where a receipt proves its entry to be; without `opened` if the trust bundle does not reach so far. */
async function placeOf({ entry, index, path, checkpoint, origin }, trust) {
  const leaf = leafHash(entry);
  if (checkpoint !== undefined) {
    const { opened, size, root } = await openCheckpoint(checkpoint, trust);
    if (!equal(rootFromInclusion(leaf, index, size, path), root))
      throw new Fault(`the inclusion path of entry ${index} does not lead to the root`);
    checkKnown(leaf, index, size, path, trust);
    return { entry, index, opened };
  }
  if (origin !== trust.origin) throw new Fault(`it is of another log, ${origin}`);
  const landmark = landmarkOf(trust, index);
  if (!landmark) return { index };
  if (!equal(rootFromInclusion(leaf, index % LANDMARK_WIDTH, LANDMARK_WIDTH, path), landmark))
    throw new Fault(`the path of entry ${index} does not lead to the subtree`);
  return { entry, index, opened: (await openCheckpoint(trust.checkpoint, trust)).opened };
}

/** The path goes through what the trust bundle knows of the tree, where both have it whole. */
function checkKnown(leaf, index, size, path, trust) {
  const known = knownOver(trust, index);
  if (!known || known.start + known.width > size) return;
  const { start, width, node } = known;
  if (!equal(rootFromInclusion(leaf, index - start, width, path.slice(0, Math.log2(width))), node))
    throw new Fault(
      `the log shows two histories: at ${index} the receipt's tree has another entry than the trust bundle's, or other entries about it`,
    );
}

async function openCheckpoint(note, trust) {
  const opened = await openNote(note, [...trust.logKeys, ...trust.witnesses.map((witness) => witness.key)]);
  if (!opened.signatures.some(({ key }) => trust.logKeys.includes(key)))
    throw new Fault("its checkpoint is not signed by this bank's log");
  const { origin, size, root } = parseCheckpoint(opened.text);
  if (origin !== trust.origin) throw new Fault(`its checkpoint is of another log, ${origin}`);
  if (size === trust.known.size && !equal(root, trust.known.root))
    throw new Fault(`the log shows two histories of ${size} entries: the receipt's and the trust bundle's differ`);
  return { opened, size, root };
}

/** What the ledger says in clear must be what the credential says. */
function compare(entry, credential, facts, trust) {
  const { author, award } = entry;
  if (author !== facts.issuer) throw new Fault("its entry is not an award by this institution");
  if (award.commitment !== base64url(sha256(utf8(encode(without(credential, "proof"))))))
    throw new Fault("its entry is about another credential than this one");
  if ((award.credits ?? null) !== (facts.credits === null ? null : String(facts.credits)))
    throw new Fault(`the ledger says ${award.credits ?? "no"} credits, the credential differs`);
  const slot = statusEntry(listUrl(trust.domain, award.status.list), award.status.index);
  if (facts.status === null || encode(facts.status) !== encode(slot))
    throw new Fault("the ledger names another status slot than the credential");
  // The day is the one written, in whatever zone.
  if ((award.expires ?? "") !== (facts.validUntil === null ? "" : credential.validUntil.slice(0, 10)))
    throw new Fault("the ledger and the credential name different days of expiry");
}

/** Whether enough distinct operators cosigned the checkpoint. */
function checkWitnesses(opened, trust) {
  if (!opened) return check("witnesses", NOT_CHECKED, "witnesses.no-receipt");
  if (!trust.quorum) return check("witnesses", NOT_CHECKED, "witnesses.none");
  const operators = new Map(trust.witnesses.map(({ key, operator }) => [key, operator]));
  const seen = new Set(opened.signatures.map(({ key }) => operators.get(key)).filter((name) => name !== undefined));
  const values = { count: String(seen.size), needed: String(trust.quorum) };
  return seen.size < trust.quorum
    ? check("witnesses", NOT_CHECKED, "witnesses.few", values, "", CAUTION)
    : check("witnesses", PASSED, "witnesses.good", values);
}

/** Was the award revoked or suspended, as far as the trust bundle's lists tell? */
async function checkStatus(facts, trust, at, canonicalise) {
  if (facts.status === null) return check("status", NOT_CHECKED, "status.none", {}, "", UNKNOWN);
  try {
    const slot = slotOf(facts.status);
    const lists = [slot.url, `${slot.url}/${SUSPENSION}`].map((url) => trust.statusLists.get(url));
    if (lists.includes(undefined)) return check("status", NOT_CHECKED, "status.absent", {}, "", UNKNOWN);
    const date = lists.map((list) => String(list.validFrom)).sort()[0].slice(0, 10);
    if (isSet(await openList(lists[0], REVOCATION, trust, canonicalise), slot.index))
      return check("status", FAILED, "status.revoked", {}, date);
    if (isSet(await openList(lists[1], SUSPENSION, trust, canonicalise), slot.index))
      return check("status", FAILED, "status.suspended", {}, date);
    const until = Math.min(...lists.map((list) => parseMoment(list.validUntil, "the status list's validUntil")));
    if (at > trust.expires) return check("status", NOT_CHECKED, "status.expired", {}, date, UNKNOWN);
    const values = { date, ...age(date, at) };
    if (at > until) return check("status", PASSED, "status.stale", values, date, CAUTION);
    return check("status", PASSED, "status.good", values, date);
  } catch (fault) {
    return failed("status", "status.bad", fault);
  }
}

const opened = new WeakMap();

/** The bits of a list that the bank signed; a list of an open trust bundle is checked once. */
function openList(document, purpose, trust, canonicalise) {
  if (!opened.has(document)) opened.set(document, readList(document, purpose, trust, canonicalise));
  return opened.get(document);
}

async function readList(document, purpose, trust, canonicalise) {
  const results = await verifyProofs(document, canonicalise);
  if (!results.some(passed) || results.some(({ error }) => error !== null)) throw new Fault("its signature does not hold");
  for (const { method } of results.filter(passed)) {
    const [did, key] = [method.split("#")[0], method.slice(method.indexOf("#") + 1)];
    if (did !== trust.bank || !trust.bankKeys.includes(key) || document.issuer !== did)
      throw new Fault("it is not signed by the credit bank");
  }
  return readStatusList(document, purpose);
}

/** How long before `at` a day was, in words. */
function age(date, at) {
  const days = Math.round((Date.parse(day(at)) - Date.parse(date)) / DAY);
  if (Number.isNaN(days)) return { "age.en": "at a time it does not say", "age.zh": "日期不明" };
  if (days <= 0) return { "age.en": "today", "age.zh": "今天" };
  return { "age.en": days === 1 ? "yesterday" : `${days} days ago`, "age.zh": `${days} 天前` };
}

function checkValidity(facts, at) {
  const since = day(facts.validFrom);
  const until = facts.validUntil === null ? "" : day(facts.validUntil);
  const values = { since, until };
  if (at < facts.validFrom) return check("validity", FAILED, "validity.early", values, since);
  if (facts.validUntil !== null && at > facts.validUntil) return check("validity", FAILED, "validity.over", values, until);
  return check("validity", PASSED, until ? "validity.until" : "validity.good", values, since);
}

/** How old the trust bundle is. */
function checkTrust(trust, at) {
  const issued = day(trust.issued);
  const values = {
    version: String(trust.version), until: day(trust.expires), due: day(trust.nextUpdate),
    "name.en": trust.names.en, "name.zh": trust.names.zh,
  };
  if (at > trust.expires) return check("trust", PASSED, "trust.expired", values, issued, UNKNOWN);
  if (at < trust.issued) return check("trust", PASSED, "trust.early", values, issued, CAUTION);
  if (trust.rootExpires !== null && at - (at % 1000) > trust.rootExpires) {
    const ended = { ...values, root: String(trust.roots.length), ended: day(trust.rootExpires) };
    return check("trust", PASSED, "trust.root-expired", ended, issued, CAUTION);
  }
  if (at > trust.nextUpdate) return check("trust", PASSED, "trust.due", values, issued, CAUTION);
  return check("trust", PASSED, "trust.good", values, issued);
}
