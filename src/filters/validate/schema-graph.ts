import { err, ok, type Result } from "../../support/result.ts";

/** A subschema, by what it applies. Boolean schemas cost nothing and are left out. */
export interface SchemaNode {
  /** Its place among the nodes; what it applies in place stands before it. */
  index: number;
  /** As in `#/oneOf/0`. */
  readonly pointer: string;
  /** Subschemas for the value itself; of each group only one is applied (`then` or `else`). */
  readonly inPlace: SchemaNode[][];
  /** Subschemas for children of the value: `.name`, `[3]`, and `.`, `[`, `~` for those that have no own entry. */
  readonly children: Map<string, SchemaNode[]>;
}

export interface SchemaGraph {
  /** Null for a boolean schema. */
  readonly root: SchemaNode | null;
  readonly nodes: readonly SchemaNode[];
}

type SchemaObject = Readonly<Record<string, unknown>>;

interface Located {
  readonly pointer: string;
  /** URI of the resource that it stands in (JSON Schema 2020-12 core section 8.2.1). */
  readonly base: string;
}

/** What references can mean. */
interface Index {
  readonly located: Map<SchemaObject, Located>;
  /** Resources by URI and anchors by URI with fragment. */
  readonly byUri: Map<string, SchemaObject>;
  readonly dynamicAnchors: Map<string, SchemaObject[]>;
}

class Refusal extends Error {}

/** A JSON Schema 2020-12 that Ajv compiled → the subschemas that its root leads to. The error is for the policy's author. */
export function buildSchemaGraph(schema: unknown): Result<SchemaGraph, string> {
  const builder = new GraphBuilder(indexSchema(schema));
  try {
    const root = builder.nodeOf(schema);
    return ok({ root, nodes: builder.inOrder() });
  } catch (error) {
    if (error instanceof Refusal) return err(error.message);
    throw error;
  }
}

/** Any URI does for a file without $id, as long as no other has it. */
const NO_ID = "postern:///schema";

function indexSchema(schema: unknown): Index {
  const index: Index = { located: new Map(), byUri: new Map(), dynamicAnchors: new Map() };
  if (isObject(schema)) index.byUri.set(NO_ID, schema);
  indexPart(schema, { pointer: "#", base: NO_ID }, index);
  return index;
}

function indexPart(part: unknown, { pointer, base }: Located, index: Index): void {
  if (Array.isArray(part)) {
    part.forEach((item, at) => {
      indexPart(item, { pointer: `${pointer}/${at}`, base }, index);
    });
    return;
  }
  if (!isObject(part)) return;
  const id = typeof part["$id"] === "string" ? resolveUri(part["$id"], base) : base;
  index.located.set(part, { pointer, base: id });
  if (id !== base) index.byUri.set(id, part);
  const anchor = part["$dynamicAnchor"];
  if (typeof anchor === "string") {
    index.byUri.set(`${id}#${anchor}`, part);
    index.dynamicAnchors.set(anchor, [...(index.dynamicAnchors.get(anchor) ?? []), part]);
  }
  for (const [key, value] of Object.entries(part)) {
    indexPart(value, { pointer: `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`, base: id }, index);
  }
}

/** Without an empty fragment, which means the same as none. */
function resolveUri(uri: string, base: string): string {
  return (URL.parse(uri, base)?.href ?? uri).replace(/#$/, "");
}

const LISTS = ["allOf", "anyOf", "oneOf"] as const;
const MAPS = ["dependentSchemas", "dependencies"] as const;
const CHILDREN = {
  additionalProperties: ".",
  unevaluatedProperties: ".",
  propertyNames: "~",
  items: "[",
  unevaluatedItems: "[",
} as const;

class GraphBuilder {
  readonly #index: Index;
  readonly #nodes = new Map<SchemaObject, SchemaNode>();

  constructor(index: Index) {
    this.#index = index;
  }

  /** The node of a subschema, with all that it leads to; null for a boolean. */
  nodeOf(schema: unknown): SchemaNode | null {
    if (!isObject(schema)) return null;
    const pending: SchemaObject[] = [];
    const root = this.#take(schema, pending);
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) this.#fill(next, pending);
    return root;
  }

  #take(schema: SchemaObject, pending: SchemaObject[]): SchemaNode {
    let node = this.#nodes.get(schema);
    if (node === undefined) {
      const pointer = this.#index.located.get(schema)?.pointer ?? "#";
      node = { index: -1, pointer, inPlace: [], children: new Map() };
      this.#nodes.set(schema, node);
      pending.push(schema);
    }
    return node;
  }

  #fill(schema: SchemaObject, pending: SchemaObject[]): void {
    const node = this.#take(schema, pending);
    const taken = (parts: readonly unknown[]): SchemaNode[] =>
      parts.filter(isObject).map((part) => this.#take(part, pending));
    const targets = this.#targetsOf(schema).map((target) => [target]);
    node.inPlace.push(...[...inPlaceParts(schema), ...targets].map(taken).filter(({ length }) => length > 0));
    for (const [child, parts] of childParts(schema)) node.children.set(child, taken(parts));
  }

  /** What `$ref` and `$dynamicRef` lead to; of the latter every anchor that it may mean. */
  #targetsOf(schema: SchemaObject): unknown[] {
    const targets: unknown[] = [];
    if (typeof schema["$ref"] === "string") targets.push(this.#resolve(schema["$ref"], schema));
    const dynamic = schema["$dynamicRef"];
    if (typeof dynamic === "string") {
      const anchored = this.#index.dynamicAnchors.get(dynamic.slice(dynamic.indexOf("#") + 1)) ?? [];
      targets.push(...(anchored.length > 0 ? anchored : [this.#resolve(dynamic, schema)]));
    }
    return targets;
  }

  #resolve(reference: string, from: SchemaObject): unknown {
    const uri = resolveUri(reference, this.#index.located.get(from)?.base ?? NO_ID);
    const hash = uri.indexOf("#");
    const known = this.#index.byUri.get(uri);
    if (known !== undefined) return known;
    const resource = hash < 0 ? undefined : this.#index.byUri.get(uri.slice(0, hash));
    const target = resource === undefined ? undefined : partAt(resource, uri.slice(hash + 1));
    if (target !== undefined) return target;
    throw new Refusal(`cannot follow the reference '${reference}'; expected one inside this file, as '#/$defs/name'`);
  }

  /** All nodes, each behind what it applies in place; a node that applies itself would never end. */
  inOrder(): readonly SchemaNode[] {
    const ordered: SchemaNode[] = [];
    const open = new Set<SchemaNode>();
    const visit = (node: SchemaNode): void => {
      if (node.index >= 0) return;
      if (open.has(node)) {
        throw new Refusal(`'${node.pointer}' leads back to itself for the same value and would be judged without end`);
      }
      open.add(node);
      for (const member of node.inPlace.flat()) visit(member);
      node.index = ordered.length;
      ordered.push(node);
    };
    for (const node of this.#nodes.values()) visit(node);
    return ordered;
  }
}

/** Groups of subschemas for the value itself; one of each group applies. */
function inPlaceParts(schema: SchemaObject): unknown[][] {
  const groups: unknown[][] = [];
  for (const keyword of LISTS) groups.push(...listOf(schema[keyword]).map((part) => [part]));
  for (const keyword of MAPS) groups.push(...Object.values(mapOf(schema[keyword])).map((part) => [part]));
  groups.push([schema["not"]]);
  // Without `if`, `then` and `else` are not applied; that they count all the same costs nothing.
  groups.push([schema["if"]], [schema["then"], schema["else"]]);
  return groups;
}

/** Subschemas by child; an overlap that depends on a pattern counts as one. */
function childParts(schema: SchemaObject): Map<string, unknown[]> {
  const patterns = Object.values(mapOf(schema["patternProperties"]));
  const contains = [schema["contains"]];
  const parts = new Map<string, unknown[]>([
    [".", [...patterns]],
    ["[", [...contains]],
    ["~", []],
  ]);
  for (const [keyword, child] of Object.entries(CHILDREN)) parts.get(child)?.push(schema[keyword]);
  for (const [name, part] of Object.entries(mapOf(schema["properties"]))) parts.set(`.${name}`, [part, ...patterns]);
  for (const [at, part] of listOf(schema["prefixItems"]).entries()) parts.set(`[${at}`, [part, ...contains]);
  return parts;
}

/** The part of `root` that a JSON pointer (RFC 6901), percent-encoded as in a fragment, means. */
function partAt(root: unknown, fragment: string): unknown {
  let part = root;
  for (const token of fragment.split("/").slice(1)) {
    const key = decodeURIComponent(token).replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof part !== "object" || part === null || !Object.hasOwn(part, key)) return undefined;
    part = Array.isArray(part) ? part[Number(key)] : mapOf(part)[key];
  }
  return part;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function mapOf(value: unknown): SchemaObject {
  return isObject(value) ? value : {};
}

function isObject(value: unknown): value is SchemaObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
