// Templates: the constant part of a document (the notation is in credentials/qr/template.py).
import { Unreadable } from "./errors.js";
import { KINDS, takeFree } from "./qr_fields.js";

/** The template of its source: a list of text, {kind, name}, {same} and {first, second}. */
export function parseTemplate(source) {
  const pieces = source.split(/(«[^»]*»)/)[Symbol.iterator]();
  return sequence(pieces).nodes;
}

function sequence(pieces) {
  const nodes = [];
  for (let next = pieces.next(); !next.done; next = pieces.next()) {
    const piece = next.value;
    if (piece === "«|»" || piece === "«/»") break;
    if (piece === "«?»") nodes.push({ first: sequence(pieces).nodes, second: sequence(pieces).nodes });
    else if (piece.startsWith("«=")) nodes.push({ same: piece.slice(2, -1) });
    else if (piece.startsWith("«")) {
      const [kind, name] = piece.slice(1, -1).split(":");
      nodes.push({ kind, name });
    } else if (piece) nodes.push(piece);
  }
  return { nodes };
}

/** The next document's text, by the template it names, or whole; `bound` are values known before. */
export function takeDocument(reader, templates, bound) {
  const number = reader.takeInt();
  if (number === 0) return takeFree(reader);
  if (number > templates.length)
    throw new Unreadable(`the QR payload uses template ${number}, which its dictionary does not have`);
  const choices = { bits: BigInt(reader.takeInt()) };
  const text = fill(templates[number - 1], { ...bound }, reader, choices);
  if (choices.bits) throw new Unreadable("the QR payload is damaged: it makes choices its template does not offer");
  return text;
}

function fill(template, values, reader, choices) {
  return template.map((node) => {
    if (typeof node === "string") return node;
    if ("kind" in node) return (values[node.name] = KINDS[node.kind](reader));
    if ("same" in node) {
      if (!(node.same in values))
        throw new Unreadable("the QR payload is damaged: it repeats a field that is not there");
      return values[node.same];
    }
    const second = choices.bits & 1n;
    choices.bits >>= 1n;
    return fill(second ? node.second : node.first, values, reader, choices);
  }).join("");
}
