// The report: checks, each with a sentence, and the verdict they come to (verifier/report.py).
import { shown } from "./spelling.js";

export const PASSED = "passed";
export const FAILED = "failed";
export const NOT_CHECKED = "not checked";
const LANGUAGES = ["en", "zh"];

/** One check; `caution` and `unknown` mark what keeps a verdict from `verified` without failing it. */
export const check = (name, outcome, code, values = {}, date = "", marks = {}) => ({
  name, outcome, code, values, date, caution: false, unknown: false, ...marks,
});

export const CAUTION = { caution: true };
export const UNKNOWN = { unknown: true };

/** What checks come to. */
export function verdict(checks) {
  if (checks.some((one) => one.outcome === FAILED)) return "not verified";
  if (checks.some((one) => one.unknown)) return "cannot tell";
  if (checks.some((one) => one.caution)) return "verified with a caution";
  return "verified";
}

/**
 * The sentence of a check, in `en` or `zh`, from the words of sentences.json. Its values come from
 * whoever wrote the file: none may turn the text around it.
 */
export function sentence(words, { code, values }, language) {
  return words.sentences[code][LANGUAGES.indexOf(language)].replace(/\{([a-z.]+)\}/g, (_, name) =>
    shown(values[`${name}.${language}`] ?? values[name] ?? ""),
  );
}

/** The name of a check, an outcome or a verdict. */
export const word = (words, table, name, language) => words[table][name][LANGUAGES.indexOf(language)];
