// Texts that could deceive the eye: characters that reorder or hide others, and mixed alphabets.
const HIDDEN = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const ALPHABETS = [/\p{Script=Latin}/u, /\p{Script=Greek}/u, /\p{Script=Cyrillic}/u];

const codeOf = (char) => `U+${char.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

/** The text with controls, and whatever turns its direction, as ⟨U+XXXX⟩. */
export const shown = (text) => text.replace(HIDDEN, (char) => `⟨${codeOf(char)}⟩`);

/** The numbers of the controls in a text, each once. */
export function hiddenCharacters(text) {
  const found = [...new Set(text.match(HIDDEN) ?? [])];
  return found.sort((one, other) => one.codePointAt(0) - other.codePointAt(0)).map(codeOf);
}

/** Whether one word has letters of two alphabets that share their looks. */
export const mixesAlphabets = (text) =>
  (text.match(/[\p{L}\p{N}_]+/gu) ?? []).some(
    (word) => ALPHABETS.filter((alphabet) => alphabet.test(word)).length > 1,
  );
