import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type ParsedNode,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { DEFAULTS } from "../support/defaults.ts";
import type { Steps } from "../support/turns.ts";
import { type AliasTargets, isMergeKey } from "./merge-keys.ts";

/** What is wrong, for who may see the text, and without a word of it. */
interface Told {
  readonly text: string;
  readonly bare: string;
}

type Fault = (told: Told, offset: number) => void;

/** How a text is read that is no policy. */
export interface Reading {
  readonly depthMax: number;
  readonly nodesMax: number;
  /** Whether merge keys (`<<`) put the keys of other mappings into one; refused without it. */
  readonly merges?: boolean;
  /** What stands for a text, as where it refers to something; itself without it. */
  text?(text: string, offset: number): string;
  /** Hears where members (by their key) and items begin. */
  member?(container: object, key: string | number, offset: number): void;
  /** What stands for a whole number that a double cannot hold, by its spelling; refused without it. */
  longNumber?(source: string): unknown;
}

export const POLICY_READING: Reading = {
  depthMax: DEFAULTS.policyDepthMax,
  nodesMax: DEFAULTS.policyNodesMax,
  merges: true,
};

function told(text: string, bare: string = text): Told {
  return { text, bare };
}

/**
 * Nodes → plain values: objects have no prototype, so that no key of a policy can mean more than itself. Aliases are
 * written out and merge keys followed, within limits on depth and size; `aliases` gets what each alias stands for. Gives undefined where a limit is passed; other faults are reported and
 * leave null in their place. `aliases` null: there may be none.
 */
export function* plainValue(
  root: ParsedNode,
  aliases: AliasTargets | null,
  fault: Fault,
  reading: Reading = POLICY_READING,
): Steps<unknown> {
  const converter = new Converter(aliases, fault, reading);
  const converted = yield* converter.convert(root);
  if (converted.depth > reading.depthMax) {
    fault(told(`nested deeper than ${reading.depthMax} levels with its aliases written out`), 0);
    return undefined;
  }
  if (converted.nodes > reading.nodesMax) {
    fault(told(`more than ${reading.nodesMax} values with its aliases written out`), 0);
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

/** Values between two yields: a list of 100,000 texts holds the thread no longer than as many mappings. */
const STEP_VALUES = 512;

class Converter {
  readonly #aliases: AliasTargets | null;
  readonly #fault: Fault;
  readonly #reading: Reading;
  #values = 0;
  /** Keys that were copied by merge keys. */
  #merged = 0;
  #isMergedOut = false;
  /** In the order of the text, so that an alias finds the nearest anchor before it, as YAML says. */
  readonly #anchors = new Map<string, { readonly node: Node; readonly measured: Measured }>();

  constructor(aliases: AliasTargets | null, fault: Fault, reading: Reading) {
    this.#aliases = aliases;
    this.#fault = fault;
    this.#reading = reading;
  }

  *convert(node: unknown): Steps<Measured> {
    if (++this.#values % STEP_VALUES === 0) yield;
    if (isAlias(node)) return this.#alias(node);
    const measured = isMap(node) ? yield* this.#map(node) : isSeq(node) ? yield* this.#list(node) : this.#scalar(node);
    if ((isScalar(node) || isMap(node) || isSeq(node)) && node.anchor !== undefined) {
      this.#anchors.set(node.anchor, { node, measured });
    }
    return measured;
  }

  /** An alias inside its own anchor finds nothing: the anchor is known only once its value is complete. */
  #alias(alias: Alias): Measured {
    if (this.#aliases === null) return this.#refuse(told("aliases have no place here"), alias);
    const anchor = this.#anchors.get(alias.source);
    if (anchor === undefined) return this.#refuse(told(`no anchor '${alias.source}' stands before this alias`), alias);
    this.#aliases.set(alias, anchor.node);
    return anchor.measured;
  }

  #scalar(node: unknown): Measured {
    if (!isScalar(node)) return NOTHING;
    const { value } = node;
    if (typeof value === "string" && this.#reading.text !== undefined)
      return { value: this.#reading.text(value, startOf(node)), nodes: 1, depth: 1 };
    if (typeof value === "string" || typeof value === "boolean" || value === null) return { value, nodes: 1, depth: 1 };
    if (typeof value !== "number") return this.#refuse(told("this kind of value has no meaning here"), node);
    if (!Number.isFinite(value)) return this.#refuse(told("expected a finite number"), node);
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
      const spelling = node.source;
      if (this.#reading.longNumber !== undefined && spelling !== undefined)
        return { value: this.#reading.longNumber(spelling), nodes: 1, depth: 1 };
      return this.#refuse(told("a whole number beyond 2^53 would lose digits; expected a smaller one"), node);
    }
    return { value, nodes: 1, depth: 1 };
  }

  *#list(list: YAMLSeq): Steps<Measured> {
    const values: unknown[] = [];
    let nodes = 1;
    let depth = 0;
    for (const item of list.items) {
      const measured = yield* this.convert(item);
      this.#reading.member?.(values, values.length, startOf(item));
      values.push(measured.value);
      nodes += measured.nodes;
      depth = Math.max(depth, measured.depth);
    }
    return { value: values, nodes, depth: depth + 1 };
  }

  *#map(map: YAMLMap): Steps<Measured> {
    const values: Record<string, unknown> = Object.create(null);
    let merged: readonly Measured[] | null = null;
    let nodes = 1;
    let depth = 0;
    for (const pair of map.items) {
      if (this.#reading.merges === true && isMergeKey(pair)) {
        if (merged === null) merged = yield* this.#mergedBy(pair);
        else this.#refuse(MERGED_TWICE, pair.key);
        continue;
      }
      const key = isScalar(pair.key) && typeof pair.key.value === "string" ? pair.key.value : null;
      const measured = yield* this.convert(pair.value);
      nodes += measured.nodes + 1;
      depth = Math.max(depth, measured.depth);
      if (key === null) this.#refuse(KEY_EXPECTED, pair.key, map);
      else if (key === "<<") this.#refuse(NO_MERGE, pair.key);
      // Schemas and libraries treat this key as special or pass over it in silence.
      else if (key === "__proto__") this.#refuse(told("the key '__proto__' is not allowed"), pair.key);
      // The library's own look for this goes through all keys for each of them.
      else if (Object.hasOwn(values, key)) this.#refuse(twice(key), pair.key);
      else {
        this.#reading.member?.(values, key, startOf(pair.key));
        values[key] = measured.value;
      }
    }
    // A key that stands in the mapping itself counts, then that of the first that is merged into it.
    for (const one of merged ?? []) {
      nodes += one.nodes;
      depth = Math.max(depth, one.depth);
      yield* this.#merge(values, one.value as Readonly<Record<string, unknown>>, map);
    }
    return { value: values, nodes, depth: depth + 1 };
  }

  /** The mappings behind a merge key. */
  *#mergedBy({ key, value }: Pair): Steps<readonly Measured[]> {
    const found: Measured[] = [];
    for (const node of isSeq(value) ? value.items : [value]) {
      const measured = yield* this.convert(node);
      if (isMapping(measured.value)) found.push(measured);
      // What is no alias of anything is told already.
      else if (measured !== NOTHING) this.#refuse(MAPPINGS_EXPECTED, node, key);
    }
    return found;
  }

  /** Copies keys, and no more of them in all than a text may have values: what is merged may have merged others. */
  *#merge(values: Record<string, unknown>, from: Readonly<Record<string, unknown>>, map: YAMLMap): Steps<void> {
    for (const key of Object.keys(from)) {
      if (this.#merged % STEP_VALUES === 0) yield;
      if (++this.#merged > this.#reading.nodesMax) {
        if (!this.#isMergedOut) this.#refuse(told(`more than ${this.#reading.nodesMax} keys are merged`), map);
        this.#isMergedOut = true;
        return;
      }
      if (Object.hasOwn(values, key)) continue;
      this.#reading.member?.(values, key, startOf(map));
      values[key] = from[key];
    }
  }

  #refuse(what: Told, ...nodes: readonly unknown[]): Measured {
    for (const node of nodes) {
      if ((isScalar(node) || isAlias(node) || isMap(node) || isSeq(node)) && node.range) {
        this.#fault(what, node.range[0]);
        return NOTHING;
      }
    }
    this.#fault(what, 0);
    return NOTHING;
  }
}

function startOf(node: unknown): number {
  return isScalar(node) || isAlias(node) || isMap(node) || isSeq(node) ? (node.range?.[0] ?? 0) : 0;
}

/** The key may be any text, and long. */
function twice(key: string): Told {
  const shown = /^[\w.-]{1,64}/.exec(key)?.[0] ?? "";
  const rest = "stands here a second time; expected it once";
  return told(`the key '${shown}' ${rest}`, `a key ${rest}`);
}

const KEY_EXPECTED = told("a key is plain text; expected no alias, list or mapping here");
const NO_MERGE = told("merge keys (<<) have no place here; expected the keys themselves");
const MERGED_TWICE = told("a second merge key (<<) stands here; expected one, with a list");
const MAPPINGS_EXPECTED = told("expected a mapping to merge, or a list of mappings, as in <<: [*a, *b]");

function isMapping(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
