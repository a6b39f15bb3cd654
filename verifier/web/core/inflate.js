// Raw deflate and gzip by the browser's own code, with a preset dictionary and a cap on the output.
import { concat } from "./bytes.js";
import { Fault } from "./errors.js";

/** The bytes behind raw deflate `data` made with the preset `dictionary` (under 64 KiB). */
export async function inflate(data, dictionary, limit) {
  // A stored block that holds the dictionary in front of the data puts it into the window.
  const size = dictionary.length;
  const header = Uint8Array.of(0, size & 255, size >> 8, ~size & 255, (~size >> 8) & 255);
  const out = await decompress("deflate-raw", concat(header, dictionary, data), size + limit);
  return out.subarray(size);
}

export const gunzip = (data, limit) => decompress("gzip", data, limit);
export const unzlib = (data, limit) => decompress("deflate", data, limit);

async function decompress(format, data, limit) {
  const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream(format));
  const reader = stream.getReader();
  const parts = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return concat(...parts);
      parts.push(value);
      size += value.length;
      if (size > limit) throw new Fault(`compressed data expands to over ${limit} bytes`);
    }
  } catch (error) {
    await reader.cancel().catch(() => {});
    throw error instanceof Fault ? error : new Fault("compressed data is damaged or cut off");
  }
}
