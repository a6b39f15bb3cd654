// The institution's own side in the browser: from a result to a signed statement and credential.
//
// What bank/institution.py does with bank/issuing.py, byte for byte: the same record gives the same
// lot, credential and pseudonyms on whichever of the two sides it is signed. Keys are CryptoKeys that
// cannot be copied out.
import { base58, base64url, concat, hex, utf8 } from "/v/core/bytes.js";
import { encode } from "/v/core/canonical.js";
import { leafHash, rootOfNodes } from "/v/core/tree.js";
import { sha256 } from "/v/vendor/noble.js";

const VC_CONTEXT = "https://www.w3.org/ns/credentials/v2";
const OB_CONTEXT = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json";
const STATEMENT = utf8("creditbank statement v1\n");
const CRITERIA = "Passed the assessment of the unit.";

export class Institution {
  /**
   * `keys`: {signing, records, multikey}, an Ed25519 and an HMAC-SHA-256 CryptoKey and the public
   * Multikey. `about`: {domain, slug, names}. `canonicalise` gives canonical N-Quads.
   */
  constructor(keys, about, canonicalise) {
    this.keys = keys;
    this.about = about;
    this.canonicalise = canonicalise;
    this.did = `did:web:${about.domain.replaceAll(":", "%3A")}:members:${about.slug}`;
    this.method = `${this.did}#${keys.multikey}`;
  }

  /** The lot of a source record, 16 bytes as base64url. */
  async lot(source) {
    return base64url((await this.#derive("lot", source)).subarray(0, 16));
  }

  /** A signed `unit.publish` of a unit version. */
  async publishUnit(unit, credits) {
    return {
      signed: await this.state("unit.publish", {
        credits: decimal(credits), field: unit.field, framework: unit.framework, hours: unit.hours, level: unit.level,
        scheme: unit.scheme, title: { en: unit.title_en, zh: unit.title_zh }, unit: unit.code, version: unit.version,
      }),
    };
  }

  /** The signed statement and credential of one result; `slot` is {list, index}. */
  async award(result, available, slot, now) {
    const credential = await this.credential(result, available, slot, now);
    const body = await this.#awarded(result, slot, credential);
    return { signed: await this.state("award", body), credential, learner: await this.#learner(result) };
  }

  /** SHA-256 of the statement that `award` signs, without the work of signing its credential. */
  async awarding(result, available, slot) {
    const body = await this.#awarded(result, slot, await this.#document(result, available, slot));
    return sha256(utf8(encode(this.#statement("award", body))));
  }

  /** The signed approval of a batch of awards, given by their statements' hashes. */
  async approveBatch(awards) {
    const ordered = [...new Map(awards.map((award) => [hex(award), award])).entries()].sort(([one], [other]) => (one < other ? -1 : 1));
    const root = rootOfNodes(ordered.map(([, award]) => leafHash(award)), []);
    return this.state("batch.approve", { awards: ordered.length, root: base64url(root) });
  }

  /** The lot that takes the place of another by a correction of this content. */
  async correction(lot, result) {
    return this.lot(correctionOf(lot, result));
  }

  /** The signed `supersede` of a lot by a corrected one, and its credential. */
  async correct(lot, result, available, slot, now, reason, appeal) {
    const named = { ...result, source_key: correctionOf(lot, result) };
    const credential = await this.credential(named, available, slot, now);
    const body = { appeal, lot, reason, successor: await this.#awarded(named, slot, credential) };
    return { signed: await this.state("supersede", body), credential, learner: result.learner };
  }

  /** Any signed statement. */
  async state(type, body) {
    const statement = this.#statement(type, body);
    const value = base64url(await this.#sign(concat(STATEMENT, utf8(encode(statement)))));
    return { signatures: [{ key: this.keys.multikey, value }], statement };
  }

  /** A signature beside those that a signed statement bears already. */
  async join(signed) {
    const value = base64url(await this.#sign(concat(STATEMENT, utf8(encode(signed.statement)))));
    const others = signed.signatures.filter(({ key }) => key !== this.keys.multikey);
    const signatures = [...others, { key: this.keys.multikey, value }].sort((one, other) => (one.key < other.key ? -1 : 1));
    return { signatures, statement: signed.statement };
  }

  async credential(result, available, slot, now) {
    const document = await this.#document(result, available, slot);
    const created = `${now.toISOString().slice(0, 19)}Z`;
    const proof = [];
    for (const cryptosuite of ["eddsa-rdfc-2022", "eddsa-jcs-2022"]) proof.push(await this.#proof(document, cryptosuite, created));
    return { ...document, proof };
  }

  #statement(type, body) {
    return { author: this.did, body, suite: "ed25519-jcs", type, version: 1 };
  }

  async #proof(document, cryptosuite, created) {
    const plain = { type: "DataIntegrityProof", created, verificationMethod: this.method, proofPurpose: "assertionMethod", cryptosuite };
    const options = { ...plain, "@context": document["@context"] };
    const byJcs = cryptosuite === "eddsa-jcs-2022";
    const parts = byJcs ? [encode(options), encode(document)] : [await this.canonicalise(options), await this.canonicalise(document)];
    const signature = await this.#sign(concat(...parts.map((part) => sha256(utf8(part)))));
    return { ...(byJcs ? options : plain), proofValue: `z${base58(signature)}` };
  }

  async #awarded(result, slot, credential) {
    const { proof, ...unsecured } = credential;
    const body = {
      commitment: base64url(sha256(utf8(encode(unsecured)))),
      credits: result.credits,
      level: result.unit.level,
      lot: await this.lot(result.source_key),
      scheme: result.unit.scheme,
      status: { index: slot.index, list: slot.list },
      unit: `${result.unit.code}@${result.unit.version}`,
    };
    return result.expires ? { ...body, expires: result.expires } : body;
  }

  async #learner(result) {
    return base64url((await this.#derive("learner", result.learner_key)).subarray(0, 16));
  }

  async #document(result, available, slot) {
    const { unit } = result;
    const base = `https://${this.about.domain}`;
    const list = `${base}/status/${slot.list}`;
    const subject = {
      id: `urn:uuid:${uuid(await this.#derive("subject", result.source_key))}`,
      type: ["AchievementSubject"],
      identifier: [{ type: "IdentityObject", hashed: false, identityHash: result.learner_name, identityType: "name" }],
      achievement: {
        id: `${base}/units/${this.about.slug}/${unit.code}/${unit.version}`,
        type: ["Achievement"],
        name: both(unit.title_zh, unit.title_en),
        description: `${unit.hours} hours of learning.`,
        criteria: { narrative: CRITERIA },
        creditsAvailable: Number(available),
        achievementType: "Course",
        humanCode: unit.code,
        alignment: [
          alignment("ext:QualificationLevel", unit.framework, unit.level, `Level ${unit.level}`, `${base}/frameworks/${unit.framework}/1#${unit.level}`),
          alignment("ext:CreditScheme", unit.scheme, unit.scheme, unit.scheme, `${base}/schemes/${unit.scheme}`),
        ],
        fieldOfStudy: unit.field,
      },
      creditsEarned: Number(result.credits),
    };
    if (result.grade !== null) subject.result = [{ type: ["Result"], value: result.grade }];
    const document = {
      "@context": [VC_CONTEXT, OB_CONTEXT],
      id: `urn:uuid:${uuid(await this.#derive("credential", result.source_key))}`,
      type: ["VerifiableCredential", "AchievementCredential"],
      name: both(unit.title_zh, unit.title_en),
      issuer: { id: this.did, type: ["Profile"], name: both(this.about.names.zh, this.about.names.en) },
      validFrom: `${result.awarded}T00:00:00Z`,
      credentialSubject: subject,
      credentialStatus: {
        id: `${list}#${slot.index}`, type: "BitstringStatusListEntry", statusPurpose: "revocation",
        statusListIndex: String(slot.index), statusListCredential: list,
      },
    };
    if (result.expires) document.validUntil = `${result.expires}T23:59:59Z`;
    return document;
  }

  async #derive(what, name) {
    return new Uint8Array(await crypto.subtle.sign("HMAC", this.keys.records, utf8(`${what}\0${name}`)));
  }

  async #sign(message) {
    return new Uint8Array(await crypto.subtle.sign("Ed25519", this.keys.signing, message));
  }
}

/** What each unit version gives: the most that any of the results earned in it. */
export function unitCredits(results) {
  const most = new Map();
  for (const { unit, credits } of results) {
    const name = `${unit.code}@${unit.version}`;
    const before = most.get(name);
    if (!before || Number(credits) > Number(before.credits)) most.set(name, { unit, credits });
  }
  return most;
}

/** A moment as the ledger writes it. */
export const seconds = (moment) => `${moment.toISOString().slice(0, 19)}Z`;

const both = (chinese, english) => (chinese === english ? chinese : `${chinese} ${english}`);
const decimal = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
const correctionOf = (lot, { unit, credits, grade, expires }) => `correction of ${lot} to ${encode([unit.code, unit.version, credits, grade, expires])}`;

function alignment(targetType, targetFramework, targetCode, targetName, targetUrl) {
  return { type: ["Alignment"], targetType, targetFramework, targetCode, targetName, targetUrl };
}

function uuid(bytes) {
  const own = bytes.slice(0, 16);
  own[6] = (own[6] & 0x0f) | 0x40;
  own[8] = (own[8] & 0x3f) | 0x80;
  return hex(own).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
