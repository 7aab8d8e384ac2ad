import { ALL_TOLD, type AskedNames, CONTAINERS_TOLD, NONE_TOLD, type Others } from "../../../bodies/json-asked.ts";
import { OPEN_BRACE, OPEN_BRACKET } from "../../../bodies/json-bytes.ts";
import type { JsonPlace } from "../../../bodies/json-paths.ts";
import { DROP, type Fate, type JsonEdit, KEEP } from "../../../bodies/json-rewriter.ts";
import { FieldNames } from "../../../message/answer-count.ts";

/** A place of which no path speaks, where only what is listed may leave. */
type Node = JsonPlace | typeof UNLISTED;
const UNLISTED: unique symbol = Symbol("a place that no path leads to");

const NOWHERE = { ends: 0, leads: 0 };
const NOTHING: Buffer = Buffer.alloc(0);

/**
 * What rules about fields make of one answer: what stands at a path of a rule that removes goes, and of what each rule that
 * allows does not list nothing stays. A container on the way to a listed field stays, and a scalar there does not.
 */
export class FieldEdit implements JsonEdit<Node> {
  /** Fields that went. */
  removed = 0;
  readonly names: FieldNames = new FieldNames();
  readonly root: Node;
  readonly asked: AskedNames;
  readonly #allow: number;
  readonly #remove: number;
  #key: string | number = "";

  /** `allow`, `remove`: bits of the rules that apply. */
  constructor(root: JsonPlace, allow: number, remove: number) {
    this.root = root;
    this.asked = root.asked;
    this.#allow = allow;
    this.#remove = remove;
  }

  child(of: Node, key: string | number): Node | null {
    this.#key = key;
    const place = of === UNLISTED ? null : of.child(key);
    if (place === null) return this.#allow === 0 ? null : UNLISTED;
    const { ends, within, leads } = place;
    const isRemoving = ((ends | leads) & this.#remove) !== 0;
    const isAllAllowed = ((ends | within) & this.#allow) === this.#allow;
    return isRemoving || !isAllAllowed ? place : null;
  }

  /** Where a rule lists what leaves, all else is to go; where rules remove, all else stays. */
  others(of: Node): Others {
    if (of === UNLISTED || this.#allow !== 0) return ALL_TOLD;
    const { ends, leads } = of.other ?? NOWHERE;
    if ((ends & this.#remove) !== 0) return ALL_TOLD;
    return (leads & this.#remove) === 0 ? NONE_TOLD : CONTAINERS_TOLD;
  }

  fate(node: Node, byte: number): Fate {
    const fate = this.#fate(node, byte === OPEN_BRACE || byte === OPEN_BRACKET);
    if (fate === DROP) {
      this.removed++;
      this.names.add(this.#key);
    }
    return fate;
  }

  #fate(node: Node, isContainer: boolean): Fate {
    if (node === UNLISTED) return DROP;
    const { ends, within, leads } = node;
    if ((ends & this.#remove) !== 0) return DROP;
    const listed = ends | within | (isContainer ? leads : 0);
    return (listed & this.#allow) === this.#allow ? KEEP : DROP;
  }

  replacement(): Buffer {
    return NOTHING;
  }
}
