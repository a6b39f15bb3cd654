// The Merkle tree of RFC 6962 and its proofs (RFC 9162 section 2.1.3.2).
import { concat } from "./bytes.js";
import { Fault } from "./errors.js";
import { sha256 } from "../vendor/noble.js";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

export const leafHash = (entry) => sha256(concat(LEAF, entry));
export const nodeHash = (left, right) => sha256(concat(NODE, left, right));

/** The root that `path` leads to from leaf `index` in a tree of `size`; Fault on a misfit. */
export function rootFromInclusion(leaf, index, size, path) {
  if (index >= size) throw new Fault(`a log of ${size} entries has no entry ${index}`);
  let position = BigInt(index);
  let last = BigInt(size) - 1n;
  let root = leaf;
  for (const sibling of path) {
    if (last === 0n) throw new Fault("the inclusion path is too long");
    if (position & 1n || position === last) {
      root = nodeHash(sibling, root);
      while (!(position & 1n) && position) {
        position >>= 1n;
        last >>= 1n;
      }
    } else root = nodeHash(root, sibling);
    position >>= 1n;
    last >>= 1n;
  }
  if (last) throw new Fault("the inclusion path is too short");
  return root;
}

/** The root over complete subtrees of equal size in order, and then smaller ones, falling in size. */
export function rootOfNodes(nodes, rest) {
  const peaks = [];
  nodes.forEach((node, number) => {
    for (let size = number; size & 1; size >>= 1) node = nodeHash(peaks.pop(), node);
    peaks.push(node);
  });
  peaks.push(...rest);
  return peaks.length ? peaks.reduceRight((root, peak) => nodeHash(peak, root)) : sha256(new Uint8Array());
}
