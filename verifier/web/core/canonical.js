// Strict JSON in, RFC 8785 (JCS) out; the same rules as keys/canonical.py.
import { equal, text as decode, utf8 } from "./bytes.js";
import { Fault } from "./errors.js";

const DEPTH = 64;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const SPACE = /[ \t\n\r]*/y;

/** The JSON value of a text; Fault for duplicate keys, inexact integers, lone surrogates, depth. */
export function parse(text, limit = 4 * 1024 * 1024) {
  if (text.length > limit) throw new Fault(`${text.length} characters of JSON are over the limit of ${limit}`);
  return new Parser(text).document();
}

/** The JSON value of bytes that must be in canonical form, byte for byte. */
export function parseExact(bytes, limit = 4 * 1024 * 1024) {
  const value = parse(decode(bytes), limit);
  if (!equal(utf8(encode(value)), bytes)) throw new Fault("JSON is not in canonical form (RFC 8785)");
  return value;
}

/** The canonical text of a JSON value (RFC 8785). */
export function encode(value) {
  if (Array.isArray(value)) return `[${value.map(encode).join(",")}]`;
  if (value instanceof Map) throw new Fault("a map is not a JSON value");
  if (value !== null && typeof value === "object") {
    const names = Object.keys(value).sort();
    return `{${names.map((name) => `${JSON.stringify(name)}:${encode(value[name])}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

export const isObject = (value) =>
  value !== null && typeof value === "object" && !Array.isArray(value);

/** The object without one member. */
export function without(object, name) {
  const { [name]: _, ...rest } = object;
  return rest;
}

class Parser {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  document() {
    const value = this.value(0);
    this.skip();
    if (this.at !== this.text.length) this.fail("extra data");
    return value;
  }

  value(depth) {
    this.skip();
    const char = this.text[this.at];
    if ((char === "{" || char === "[") && depth >= DEPTH)
      throw new Fault(`JSON nested deeper than ${DEPTH} levels`);
    if (char === "{") return this.object(depth);
    if (char === "[") return this.array(depth);
    if (char === '"') return this.string();
    for (const [word, value] of [["true", true], ["false", false], ["null", null]])
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    return this.number();
  }

  object(depth) {
    const members = Object.create(null);
    this.at++;
    if (this.take("}")) return plain(members);
    do {
      this.skip();
      const name = this.string();
      if (name in members) throw new Fault(`the JSON member ${name} appears twice`);
      if (!this.take(":")) this.fail("expected a colon");
      members[name] = this.value(depth + 1);
    } while (this.take(","));
    if (!this.take("}")) this.fail("expected a comma or the end of an object");
    return plain(members);
  }

  array(depth) {
    const items = [];
    this.at++;
    if (this.take("]")) return items;
    do items.push(this.value(depth + 1));
    while (this.take(","));
    if (!this.take("]")) this.fail("expected a comma or the end of a list");
    return items;
  }

  string() {
    const value = JSON.parse(this.match(STRING, "expected a text"));
    if (!value.isWellFormed()) throw new Fault("JSON holds a lone surrogate");
    return value;
  }

  number() {
    const literal = this.match(NUMBER, "expected a value");
    const value = Number(literal);
    const isInteger = !/[.eE]/.test(literal);
    if (!Number.isFinite(value)) throw new Fault(`number ${literal.slice(0, 24)} is too large for JSON`);
    if (isInteger && (literal.length > 17 || !Number.isSafeInteger(value)))
      throw new Fault(`integer ${literal.slice(0, 24)} is beyond 2^53 and not exact in JSON`);
    return value === 0 ? 0 : value;
  }

  match(pattern, complaint) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (!found?.[0]) this.fail(complaint);
    this.at = pattern.lastIndex;
    return found[0];
  }

  take(char) {
    this.skip();
    if (this.text[this.at] !== char) return false;
    this.at++;
    return true;
  }

  skip() {
    SPACE.lastIndex = this.at;
    SPACE.exec(this.text);
    this.at = SPACE.lastIndex;
  }

  fail(complaint) {
    const lines = this.text.slice(0, this.at).split("\n");
    throw new Fault(`not JSON: ${complaint} at line ${lines.length} column ${lines.at(-1).length + 1}`);
  }
}

// A member called __proto__ is a member like any other.
function plain(members) {
  const object = {};
  for (const name of Object.keys(members))
    Object.defineProperty(object, name, {
      value: members[name], enumerable: true, writable: true, configurable: true,
    });
  return object;
}
