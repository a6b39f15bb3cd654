// Ledger entries that record an award: their form, and the signatures of their statement.
import { base64url, fromBase64url, utf8 } from "./bytes.js";
import { encode, isObject, parseExact } from "./canonical.js";
import { fromMultikey } from "./ed25519.js";
import { Fault } from "./errors.js";
import { sha256 } from "../vendor/noble.js";

const SUITE = "ed25519-jcs";
const MOST_BYTES = 65534;
const LIST_LENGTH = 131072;
const CREDITS = /^(0|[1-9][0-9]{0,5})(\.[0-9]{0,3}[1-9])?$/;
const DATE = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;
const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/;
const DID = /^did:(web:[A-Za-z0-9.%:_-]{1,200}|key:z6Mk[1-9A-HJ-NP-Za-km-z]{44})$/;
const CITIZEN_NUMBER = /(?<![0-9])[0-9]{17}[0-9Xx](?![0-9])/;
const UNIT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}@[1-9][0-9]{0,3}$/;

const isHash = (value) => isBytes(value, 32);
const isLot = (value) => isBytes(value, 16);
const isUnit = (value) => matches(UNIT, value);
const isLevel = (value) => matches(/^[1-9][0-9]?$/, value);
const isScheme = (value) => matches(/^[a-z0-9][a-z0-9.-]{0,62}$/, value);
const isReason = (value) => isScheme(value) && !CITIZEN_NUMBER.test(value);
const isCredits = (value) => matches(CREDITS, value) && Number(value) > 0;
const isDigit = (value) => Number.isInteger(value) && value >= 0 && value <= 9;
const isEvidence = (value) =>
  Array.isArray(value) && value.length > 0 && value.length <= 100 &&
  new Set(value).size === value.length && value.every(isHash);
const record = (fields, optional) => (value) => isObject(value) && faultIn(value, fields, optional) === null;

const AWARD = {
  commitment: isHash, credits: isCredits, level: isLevel, lot: isLot, scheme: isScheme, status: isSlot, unit: isUnit,
};
const AWARD_MAYBE = { expires: isDate, rpl: isEvidence };
const FACTS = {
  awarded: isDate, credits: isCredits, depth: isDigit, institution: (value) => matches(DID, value),
  level: isLevel, scheme: isScheme, unit: isUnit,
};

/** The statements that a credential is issued with: fields, optional ones, and where its part of them is. */
const KINDS = {
  award: [AWARD, AWARD_MAYBE, (body) => body],
  confer: [
    { commitment: isHash, evaluation: isHash, level: isLevel, lot: isLot, qualification: isUnit, status: isSlot },
    { as_of: isTime }, (body) => body,
  ],
  convert: [
    {
      derived: record(AWARD, { expires: isDate }), evaluation: isHash, facts: record(FACTS, { expires: isDate }),
      lot: isLot, rule: isUnit, source: isDigit,
    },
    { as_of: isTime }, (body) => body.derived,
  ],
  supersede: [
    { appeal: isDate, lot: isLot, reason: isReason, successor: record(AWARD, AWARD_MAYBE) },
    { upheld: isLot }, (body) => body.successor,
  ],
};

/**
 * {index, time, author, type, statement, award, signers} of an entry that a credential was issued with, an award's
 * or another's; Fault unless it is a well-formed one. `award` is what it says of the credential, `statement` the statement's hash.
 */
export async function readAwardEntry(bytes) {
  if (bytes.length > MOST_BYTES) throw new Fault("the entry is too long");
  const entry = parseExact(bytes);
  exactly(entry, ["index", "prev", "signatures", "statement", "time"], "an entry");
  const { index, prev, signatures, statement, time } = entry;
  if (!isIndex(index)) throw new Fault("an entry's index is a whole number from 0");
  if (!matches(/^[0-9a-f]{64}$/, prev)) throw new Fault(`entry ${index}: prev is not 64 hexadecimal digits`);
  if (!isTime(time)) throw new Fault(`entry ${index}: its time is not one such as 2026-11-23T18:18:22Z`);
  const award = awardIn(statement);
  const signers = await checkStatementSignatures(signatures, statement);
  const hash = base64url(sha256(utf8(encode(statement))));
  return { index, time, author: statement.author, type: statement.type, statement: hash, award, signers };
}

function awardIn(statement) {
  exactly(statement, ["author", "body", "suite", "type", "version"], "a statement");
  const { author, body, suite, type, version } = statement;
  if (version !== 1 || suite !== SUITE) throw new Fault("the entry's statement is of a version not known here");
  if (typeof author !== "string" || !author.startsWith("did:")) throw new Fault("a statement's author is a DID");
  if (!Object.hasOwn(KINDS, type) || !isObject(body)) throw new Fault("its entry is not an award by this institution");
  const [fields, optional, part] = KINDS[type];
  const fault = faultIn(body, fields, optional);
  if (fault) throw new Fault(fault);
  return part(body);
}

/** What is wrong with an object that has `fields` and perhaps some `optional` ones, or null. */
function faultIn(value, fields, optional) {
  for (const [name, isGood] of Object.entries(fields))
    if (!Object.hasOwn(value, name) || !isGood(value[name])) return `the award's field ${name} is not valid`;
  for (const name of Object.keys(value))
    if (!Object.hasOwn(fields, name) && !(Object.hasOwn(optional, name) && optional[name](value[name])))
      return `an award has no such field ${name.slice(0, 40)}`;
  return null;
}

/** The keys that signed a statement; Fault unless every signature holds. */
export async function checkStatementSignatures(signatures, statement) {
  if (!Array.isArray(signatures) || signatures.length < 1 || signatures.length > 16)
    throw new Fault("a statement has 1 to 16 signatures");
  const message = utf8(`creditbank statement v1\n${encode(statement)}`);
  const signers = [];
  for (const item of signatures) {
    exactly(item, ["key", "value"], "a statement's signature");
    const { key, value } = item;
    if (signers.length && !(signers.at(-1) < key)) throw new Fault("a statement's signatures are sorted by key");
    await fromMultikey(key).verify(message, fromBase64url(value, 64));
    signers.push(key);
  }
  return signers;
}

/** Whether a text is a day of the calendar, YYYY-MM-DD. */
export function isDate(value) {
  if (!matches(DATE, value) || value.startsWith("0000")) return false;
  const moment = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(moment.getTime()) && moment.toISOString().slice(0, 10) === value;
}

/** Whether a text is a moment as ledgers spell it, 2026-11-23T18:18:22Z. */
export function isTime(value) {
  if (!matches(TIME, value) || !isDate(value.slice(0, 10))) return false;
  const [hour, minute, second] = value.slice(11, 19).split(":").map(Number);
  return hour < 24 && minute < 60 && second < 60;
}

function exactly(value, names, what) {
  if (!isObject(value) || Object.keys(value).sort().join() !== names.join())
    throw new Fault(`${what} has the fields ${names.join(", ")}`);
}

function isBytes(value, length) {
  try {
    return fromBase64url(value, length).length === length;
  } catch {
    return false;
  }
}

function isSlot(value) {
  return (
    isObject(value) && Object.keys(value).sort().join() === "index,list" &&
    isIndex(value.index) && value.index < LIST_LENGTH &&
    isIndex(value.list) && value.list > 0 && value.list < 1_000_000
  );
}

const matches = (pattern, value) => typeof value === "string" && pattern.test(value);
const isIndex = (value) => Number.isSafeInteger(value) && value >= 0;
