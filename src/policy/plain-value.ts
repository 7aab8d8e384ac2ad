import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type ParsedNode,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { DEFAULTS } from "../support/defaults.ts";

/** What each alias stands for: filled by `plainValue`, for those who look places up. */
export type AliasTargets = Map<Alias, Node>;

type Fault = (text: string, offset: number) => void;

/**
 * Nodes → plain values: objects have no prototype, so that no key of a policy can mean more than itself. Aliases are
 * written out, within limits on depth and size. Gives undefined where a limit is passed; other faults are reported and
 * leave null in their place.
 */
export function plainValue(root: ParsedNode, aliases: AliasTargets, fault: Fault): unknown {
  const converter = new Converter(aliases, fault);
  const converted = converter.convert(root);
  if (converted.depth > DEFAULTS.policyDepthMax) {
    fault(`nested deeper than ${DEFAULTS.policyDepthMax} levels with its aliases written out`, 0);
    return undefined;
  }
  if (converted.nodes > DEFAULTS.policyNodesMax) {
    fault(`more than ${DEFAULTS.policyNodesMax} values with its aliases written out`, 0);
    return undefined;
  }
  return converted.value;
}

/** A value with its size as if every alias in it were written out; values behind aliases are shared, not copied. */
interface Measured {
  readonly value: unknown;
  readonly nodes: number;
  readonly depth: number;
}

const NOTHING: Measured = { value: null, nodes: 1, depth: 1 };

class Converter {
  readonly #aliases: AliasTargets;
  readonly #fault: Fault;
  /** In the order of the text, so that an alias finds the nearest anchor before it, as YAML says. */
  readonly #anchors = new Map<string, { readonly node: Node; readonly measured: Measured }>();

  constructor(aliases: AliasTargets, fault: Fault) {
    this.#aliases = aliases;
    this.#fault = fault;
  }

  convert(node: unknown): Measured {
    if (isAlias(node)) return this.#alias(node);
    const measured = this.#content(node);
    if ((isScalar(node) || isMap(node) || isSeq(node)) && node.anchor !== undefined) {
      this.#anchors.set(node.anchor, { node, measured });
    }
    return measured;
  }

  /** An alias inside its own anchor finds nothing: the anchor is known only once its value is complete. */
  #alias(alias: Alias): Measured {
    const anchor = this.#anchors.get(alias.source);
    if (anchor === undefined) return this.#refuse(`no anchor '${alias.source}' stands before this alias`, alias);
    this.#aliases.set(alias, anchor.node);
    return anchor.measured;
  }

  #content(node: unknown): Measured {
    if (isMap(node)) return this.#map(node);
    if (isSeq(node)) return this.#list(node);
    if (!isScalar(node)) return NOTHING;
    const { value } = node;
    if (typeof value === "string" || typeof value === "boolean" || value === null) return { value, nodes: 1, depth: 1 };
    if (typeof value !== "number") return this.#refuse("this kind of value has no meaning in a policy", node);
    if (!Number.isFinite(value)) return this.#refuse("expected a finite number", node);
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
      return this.#refuse("a whole number beyond 2^53 would lose digits; expected a smaller one", node);
    }
    return { value, nodes: 1, depth: 1 };
  }

  #list(list: YAMLSeq): Measured {
    const values: unknown[] = [];
    let nodes = 1;
    let depth = 0;
    for (const item of list.items) {
      const measured = this.convert(item);
      values.push(measured.value);
      nodes += measured.nodes;
      depth = Math.max(depth, measured.depth);
    }
    return { value: values, nodes, depth: depth + 1 };
  }

  #map(map: YAMLMap): Measured {
    const values: Record<string, unknown> = Object.create(null);
    let nodes = 1;
    let depth = 0;
    for (const pair of map.items) {
      const key = isScalar(pair.key) && typeof pair.key.value === "string" ? pair.key.value : null;
      const measured = this.convert(pair.value);
      nodes += measured.nodes + 1;
      depth = Math.max(depth, measured.depth);
      if (key === null) this.#refuse("a key is plain text; expected no alias, list or mapping here", pair.key, map);
      else if (key === "<<") this.#refuse(NO_MERGE, pair.key);
      // Schemas and libraries treat this key as special or pass over it in silence.
      else if (key === "__proto__") this.#refuse("the key '__proto__' is not allowed", pair.key);
      // The library's own look for this goes through all keys for each of them.
      else if (Object.hasOwn(values, key)) this.#refuse(twiceText(key), pair.key);
      else values[key] = measured.value;
    }
    return { value: values, nodes, depth: depth + 1 };
  }

  #refuse(text: string, ...nodes: readonly unknown[]): Measured {
    for (const node of nodes) {
      if ((isScalar(node) || isAlias(node) || isMap(node) || isSeq(node)) && node.range) {
        this.#fault(text, node.range[0]);
        return NOTHING;
      }
    }
    this.#fault(text, 0);
    return NOTHING;
  }
}

/** The key may be any text, and long. */
function twiceText(key: string): string {
  return `the key '${/^[\w.-]{1,64}/.exec(key)?.[0] ?? ""}' stands here a second time; expected it once`;
}

const NO_MERGE = "merge keys (<<) hide what stands in an entry; expected the keys themselves, or 'defaults' for routes";
