// The page's data and its lazily loaded libraries, from beside it or from within a self-contained file.
const inlined = (name) => document.getElementById(`asset:${name}`)?.textContent;

/** The JSON of `data/<name>`. */
export async function json(name) {
  const text = inlined(name);
  if (text !== undefined) return JSON.parse(text);
  const response = await fetch(`data/${name}`);
  if (!response.ok) throw new Error(`data/${name} could not be loaded (${response.status})`);
  return response.json();
}

/** The decoder's WebAssembly. */
export async function decoderBinary() {
  const text = inlined("zxing_reader.wasm");
  if (text !== undefined) return Uint8Array.from(atob(text), (char) => char.charCodeAt(0)).buffer;
  return (await fetch("vendor/zxing_reader.wasm")).arrayBuffer();
}

/** The trust bundle that a self-contained file was made with, or null. */
export function enclosedTrust() {
  const text = inlined("trust.json");
  return text === undefined ? null : Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

/** Whether the page is one self-contained file, with no server behind it. */
export const isOneFile = () => inlined("sentences.json") !== undefined;
