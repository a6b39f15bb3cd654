// What a credential must look like before its proofs are worth checking (credentials/document.py).
import { encode, isObject } from "./canonical.js";
import { Fault } from "./errors.js";
import { parseMoment } from "./moment.js";

const VC = "https://www.w3.org/ns/credentials/v2";
const OB = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json";
const CONTEXTS = [encode([VC, OB]), encode([VC])];
const TYPES = encode(["VerifiableCredential", "AchievementCredential"]);
const QUALIFICATIONS = ["Certificate", "Degree", "Diploma"];
const FIELDS = [
  "@context", "credentialStatus", "credentialSubject", "id", "issuer", "name", "proof", "type",
  "validFrom", "validUntil",
];

/** The facts of an achievement credential; Fault says what is missing or wrong. */
export function readCredential(document) {
  if (!isObject(document)) throw new Fault("a credential is a JSON object");
  if (!CONTEXTS.includes(encodeOf(document["@context"])))
    throw new Fault(
      "the document's @context is not, entry by entry, one that is known here; terms could mean something else than they say",
    );
  if (encodeOf(document.type) !== TYPES)
    throw new Fault("not an Open Badges 3.0 achievement credential: its type says otherwise");
  const unknown = Object.keys(document).sort().find((name) => !FIELDS.includes(name));
  if (unknown !== undefined) throw new Fault(`the credential has a field that is not understood: ${unknown.slice(0, 60)}`);
  const subject = objectIn(document, "credentialSubject");
  const achievement = objectIn(subject, "achievement");
  const isWhole = !Object.hasOwn(subject, "creditsEarned") && QUALIFICATIONS.includes(achievement.achievementType);
  const earned = isWhole ? null : subject.creditsEarned;
  if (!isWhole && (typeof earned !== "number" || earned <= 0)) throw new Fault("creditsEarned is not a positive number");
  const until = document.validUntil ?? null;
  return {
    identifier: uriIn(document, "id"),
    issuer: uriIn(objectIn(document, "issuer"), "id"),
    learner: learnerIn(subject),
    achievement: textIn(achievement, "name"),
    credits: earned,
    validFrom: parseMoment(textIn(document, "validFrom"), "validFrom"),
    validUntil: until === null ? null : parseMoment(textIn(document, "validUntil"), "validUntil"),
    status: document.credentialStatus ?? null,
    level: levelIn(achievement),
    field: typeof achievement.fieldOfStudy === "string" ? achievement.fieldOfStudy : "",
  };
}

const encodeOf = (value) => (value === undefined ? "" : encode(value));

function objectIn(parent, field) {
  if (!Object.hasOwn(parent, field) || !isObject(parent[field]))
    throw new Fault(`the credential lacks ${field}, or it is not an object`);
  return parent[field];
}

function textIn(parent, field) {
  const value = Object.hasOwn(parent, field) ? parent[field] : "";
  if (typeof value !== "string" || !value) throw new Fault(`the credential lacks ${field}, or it is not text`);
  return value;
}

function uriIn(parent, field) {
  const value = textIn(parent, field);
  if (!/^(urn:uuid:|did:|https:\/\/)/.test(value))
    throw new Fault(`${field} is not an absolute identifier: ${value.slice(0, 60)}`);
  return value;
}

function learnerIn(subject) {
  const items = Array.isArray(subject.identifier) ? subject.identifier : [];
  for (const item of items)
    if (isObject(item) && item.identityType === "name") {
      const name = item.identityHash;
      if (typeof name === "string" && name && item.hashed === false) return name;
    }
  throw new Fault("the credential does not give the learner's name as plain text");
}

function levelIn(achievement) {
  const alignments = Array.isArray(achievement.alignment) ? achievement.alignment : [];
  const level = alignments.find((one) => isObject(one) && one.targetType === "ext:QualificationLevel");
  return typeof level?.targetCode === "string" ? level.targetCode : "";
}
