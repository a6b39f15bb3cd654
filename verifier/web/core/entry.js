// Ledger entries that record an award: their form, and the signatures of their statement.
import { fromBase64url, utf8 } from "./bytes.js";
import { encode, isObject, parseExact } from "./canonical.js";
import { fromMultikey } from "./ed25519.js";
import { Fault } from "./errors.js";

const SUITE = "ed25519-jcs";
const MOST_BYTES = 65534;
const LIST_LENGTH = 131072;
const CREDITS = /^(0|[1-9][0-9]{0,5})(\.[0-9]{0,3}[1-9])?$/;
const DATE = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;
const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/;
const FIELDS = {
  commitment: (value) => isBytes(value, 32),
  credits: (value) => matches(CREDITS, value) && Number(value) > 0,
  level: (value) => matches(/^[1-9][0-9]?$/, value),
  lot: (value) => isBytes(value, 16),
  scheme: (value) => matches(/^[a-z0-9][a-z0-9.-]{0,62}$/, value),
  status: isSlot,
  unit: (value) => matches(/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}@[1-9][0-9]{0,3}$/, value),
};

/** {index, time, author, body, signers} of an award's entry; Fault unless it is a well-formed one. */
export async function readAwardEntry(bytes) {
  if (bytes.length > MOST_BYTES) throw new Fault("the entry is too long");
  const entry = parseExact(bytes);
  exactly(entry, ["index", "prev", "signatures", "statement", "time"], "an entry");
  const { index, prev, signatures, statement, time } = entry;
  if (!isIndex(index)) throw new Fault("an entry's index is a whole number from 0");
  if (!matches(/^[0-9a-f]{64}$/, prev)) throw new Fault(`entry ${index}: prev is not 64 hexadecimal digits`);
  if (!isTime(time)) throw new Fault(`entry ${index}: its time is not one such as 2026-11-23T18:18:22Z`);
  checkStatement(statement);
  const signers = await checkSignatures(signatures, statement);
  return { index, time, author: statement.author, body: statement.body, signers };
}

function checkStatement(statement) {
  exactly(statement, ["author", "body", "suite", "type", "version"], "a statement");
  const { author, body, suite, type, version } = statement;
  if (version !== 1 || suite !== SUITE) throw new Fault("the entry's statement is of a version not known here");
  if (typeof author !== "string" || !author.startsWith("did:")) throw new Fault("a statement's author is a DID");
  if (type !== "award" || !isObject(body)) throw new Fault("its entry is not an award by this institution");
  for (const [name, isGood] of Object.entries(FIELDS))
    if (!Object.hasOwn(body, name) || !isGood(body[name])) throw new Fault(`the award's field ${name} is not valid`);
  for (const name of Object.keys(body))
    if (!Object.hasOwn(FIELDS, name) && !(name === "expires" && isDate(body.expires)))
      throw new Fault(`an award has no such field ${name.slice(0, 40)}`);
}

async function checkSignatures(signatures, statement) {
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
