// Canonical N-Quads of the documents that a bank issues, by the shapes that credentials/rdf learnt.
//
// What depends on more than the shape (a quotation mark in a name, two equal identifiers that no
// example had) is left to the JSON-LD library, which takes thirty times as long and knows everything.
import { hex, utf8 } from "/v/core/bytes.js";
import { sha256 } from "/v/vendor/noble.js";

const PINNED = new Set(["@context", "@direction", "@language", "@type", "proofPurpose", "type"]);
const EXACT = 2 ** 53;
const SMALLEST = 1e-6;
const ESCAPED = /["\\\x00-\x1f\x7f\uFFFE\uFFFF]|\p{Cs}/u;
const NO_IRI = /[\s<>"{}|^`\\\p{C}]/u;
const SCHEMES = /^(https?:|urn:|did:)/;
const ASTRAL = /[\u{10000}-\u{10FFFF}]/u;

/** A function from documents to canonical N-Quads; `shapes` as shapes.json has them. */
export function shapedCanonicaliser(shapes, canonicalise) {
  const known = new Map(shapes.map(({ example, shape }) => [split(example).outline, shape]));
  return async (document) => filled(document, known) ?? canonicalise(document);
}

function filled(document, known) {
  const { outline, values } = split(document);
  const shape = outline === null ? undefined : known.get(outline);
  if (!shape || values.some((value) => ESCAPED.test(value))) return null;
  const identifiers = shape.identifiers.map((slot) => values[slot]);
  if (identifiers.some((one) => NO_IRI.test(one) || !SCHEMES.test(one))) return null;
  const pattern = JSON.stringify(patternOf(identifiers));
  const template = shape.templates.find((one) => JSON.stringify(one.pattern) === pattern)?.template;
  if (!template) return null;
  const digests = template.blank.map((node) => digest(node, values));
  if (digests.includes(null) || new Set(digests).size < digests.length) return null;
  // RDFC-1.0 labels blank nodes in the order of these digests, where they tell all apart.
  const order = [...digests].sort();
  const labels = digests.map((one) => `_:c14n${order.indexOf(one)}`);
  let lines = linesOf(template.lines, [...values, ...labels]);
  if (template.lines.may_repeat) lines = [...new Set(lines)];
  return joined(lines);
}

function digest(node, values) {
  const lines = linesOf(node, values);
  if (node.distinct && new Set(lines).size < node.distinct) return null;
  return hex(sha256(utf8(joined(lines))));
}

function linesOf({ format, holes }, values) {
  let place = 0;
  return format.replace(/%[s%]/g, (mark) => (mark === "%%" ? "%" : values[holes[place++]])).split("\n");
}

function joined(lines) {
  // By code point, as the standard says; texts compare by UTF-16 unit, which differs beyond U+FFFF.
  if (lines.some((line) => ASTRAL.test(line))) lines.sort(byCodePoint);
  else lines.sort();
  return `${lines.join("\n")}\n`;
}

function byCodePoint(one, other) {
  const [left, right] = [[...one], [...other]];
  for (let place = 0; place < Math.min(left.length, right.length); place++) {
    const difference = left[place].codePointAt(0) - right[place].codePointAt(0);
    if (difference) return difference;
  }
  return left.length - right.length;
}

function patternOf(identifiers) {
  if (new Set(identifiers).size === identifiers.length) return [];
  return identifiers.map((one) => identifiers.indexOf(one));
}

/** The outline as one text, null where only the library knows; and the values as RDF writes them. */
function split(document) {
  const marks = [];
  const values = [];
  let usual = true;
  const scalar = (value) => {
    if (typeof value === "boolean") marks.push(value ? "#t" : "#f");
    else if (Number.isSafeInteger(value)) {
      marks.push("#i");
      values.push(String(value));
    } else if (typeof value === "number" && Math.abs(value) >= SMALLEST && Math.abs(value) < EXACT) {
      marks.push("#d");
      values.push(double(value));
    } else usual = false;
  };
  const list = (items, pinned) => {
    marks.push("#[");
    for (const value of items) {
      if (typeof value === "string") {
        if (pinned) marks.push(`=${value}`);
        else {
          marks.push("#s");
          values.push(value);
        }
      } else nested(value, pinned);
    }
    marks.push("#]");
  };
  const nested = (value, pinned) => {
    if (Array.isArray(value)) list(value, pinned);
    else if (value !== null && typeof value === "object") {
      marks.push("#{");
      object(value);
    } else scalar(value);
  };
  const object = (members) => {
    // In one order, whoever wrote the document: it means the same in any.
    for (const name of Object.keys(members).sort()) {
      const value = members[name];
      marks.push(`.${name}`);
      if (typeof value !== "string") nested(value, PINNED.has(name));
      else if (PINNED.has(name)) marks.push(`=${value}`);
      else values.push(value);
    }
    marks.push("#}");
  };
  object(document);
  return { outline: usual ? JSON.stringify(marks) : null, values };
}

/** The canonical lexical form of xsd:double, as JSON-LD writes numbers with a fraction. */
function double(value) {
  const [mantissa, exponent] = value.toExponential(15).split("e");
  const digits = mantissa.replace(/0+$/, "");
  return `${digits}${digits.endsWith(".") ? "0" : ""}E${Number(exponent)}`;
}
