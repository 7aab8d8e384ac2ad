import type { Template } from "./template.ts";

interface Node {
  readonly statics: Map<string, Node>;
  param: Node | null;
  /** Whether a template without a rest ends here. */
  isEnd: boolean;
}

/** Templates by their segments: what stands beside a template, found in as many steps as it has segments. */
export class SegmentTree {
  readonly #root = newNode();

  add({ segments, hasRest }: Template): void {
    let node = this.#root;
    for (const segment of segments) {
      if (segment.kind === "param") {
        node.param ??= newNode();
        node = node.param;
        continue;
      }
      const next = node.statics.get(segment.text) ?? newNode();
      node.statics.set(segment.text, next);
      node = next;
    }
    if (!hasRest) node.isEnd = true;
  }

  /**
   * Whether one of the others could be more specific on a path of this template. True also where none is, if only what
   * begins like it may be; never false where one is.
   */
  mayBeBeaten({ segments, hasRest }: Template): boolean {
    let node: Node | null | undefined = this.#root;
    for (const segment of segments) {
      if (segment.kind === "param" && node.statics.size > 0) return true;
      node = segment.kind === "param" ? node.param : node.statics.get(segment.text);
      if (node === null || node === undefined) return false;
    }
    return hasRest && (node.isEnd || node.param !== null || node.statics.size > 0);
  }
}

function newNode(): Node {
  return { statics: new Map(), param: null, isEnd: false };
}
