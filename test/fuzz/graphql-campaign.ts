import {
  buildSchema,
  type DocumentNode,
  execute,
  Kind,
  OperationTypeNode,
  parse,
  type SelectionSetNode,
  type ValueNode,
} from "graphql";
import { parseDocument } from "../../src/bodies/graphql/parser.ts";
import { weigh } from "../../src/bodies/graphql/weight.ts";
import { atOnce } from "../../src/support/turns.ts";
import { GraphqlGrammar, SCHEMA } from "./graphql-grammar.ts";
import { caseSeed, Random } from "./random.ts";

export interface GraphqlTally {
  documents: number;
  readonly outcomes: Map<string, number>;
  readonly disagreements: {
    readonly index: number;
    readonly text: string;
    readonly ours: string;
    readonly theirs: string;
  }[];
}

export interface GraphqlCampaign {
  readonly seed: number;
  readonly documentsMax: number;
  goesOn(): boolean;
}

const schema = buildSchema(SCHEMA);
const LISTS: ReadonlySet<string> = new Set(["first", "last", "limit"]);
const DISAGREEMENTS_MAX = 20;

/**
 * Random documents, read by ours and by graphql-js: what ours takes, it parses to the same operations, with the same depth,
 * aliases and cost; and what it parses and executes, ours refuses only for a reason of its own.
 */
export function runGraphqlCampaign({ seed, documentsMax, goesOn }: GraphqlCampaign): GraphqlTally {
  const tally: GraphqlTally = { documents: 0, outcomes: new Map(), disagreements: [] };
  for (let index = 0; index < documentsMax && goesOn(); index++) {
    const text = new GraphqlGrammar(new Random(caseSeed(seed, index))).document();
    const ours = oursOf(text);
    const theirs = theirsOf(text);
    tally.documents++;
    const outcome =
      ours.kind === "refused"
        ? theirs === "no document"
          ? "both refuse"
          : `ours alone refuses: ${ours.why}`
        : "both accept";
    tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + 1);
    const agrees = ours.kind === "refused" ? theirs === "no document" || OWN.test(ours.why) : ours.what === theirs;
    if (!agrees) tally.disagreements.push({ index, text, ours: JSON.stringify(ours), theirs });
    if (tally.disagreements.length >= DISAGREEMENTS_MAX) break;
  }
  return tally;
}

/** What the specification forbids, and graphql-js parses all the same: it refuses most of it when it validates. */
const OWN = /an empty selection|twice|of one name|spreads itself|not there|without a name beside|expected an operation/;

type Ours = { readonly kind: "refused"; readonly why: string } | { readonly kind: "taken"; readonly what: string };

function oursOf(text: string): Ours {
  const document = atOnce(parseDocument(text));
  if (!document.ok) return { kind: "refused", why: document.error.replace(/ at line .*/, "") };
  const weight = atOnce(weigh(document.value, null, LISTS));
  if (!weight.ok) return { kind: "refused", why: weight.error };
  const operations = document.value.operations.map(({ type, name }) => `${type} ${name}`);
  const { depth, aliases, cost } = weight.value;
  return { kind: "taken", what: JSON.stringify({ operations, depth, aliases, cost, executes: true }) };
}

function theirsOf(text: string): string {
  const document = parsed(text);
  if (document === null) return "no document";
  const operations: string[] = [];
  let [depth, aliases, cost] = [0, 0, 0];
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) {
      if (definition.kind !== Kind.FRAGMENT_DEFINITION) return "no document";
      continue;
    }
    operations.push(`${definition.operation} ${definition.name?.value ?? null}`);
    const defaults = new Map(
      (definition.variableDefinitions ?? []).map((one) => [one.variable.name.value, one.defaultValue]),
    );
    const load = loadOf(definition.selectionSet, document, defaults, 0);
    if (load === null) return "a circle";
    [depth, aliases, cost] = [Math.max(depth, load[0]), Math.max(aliases, load[1]), Math.max(cost, load[2])];
  }
  return JSON.stringify({ operations, depth, aliases, cost, executes: executes(document) });
}

function parsed(text: string): DocumentNode | null {
  try {
    return parse(text, { noLocation: true });
  } catch {
    return null;
  }
}

/** Whether graphql-js gets as far as executing each operation. */
function executes(document: DocumentNode): boolean {
  return document.definitions.every((definition) => {
    if (definition.kind !== Kind.OPERATION_DEFINITION) return true;
    if (definition.operation === OperationTypeNode.SUBSCRIPTION) return true;
    const operationName = definition.name?.value ?? null;
    const result = execute({ schema, document, operationName, rootValue: {} });
    return typeof result === "object";
  });
}

type Load = readonly [depth: number, aliases: number, cost: number];
type Defaults = ReadonlyMap<string, ValueNode | undefined>;

/** The plain way: every fragment walked each time it is spread. */
function loadOf(set: SelectionSetNode, document: DocumentNode, defaults: Defaults, nested: number): Load | null {
  if (nested > 60) return null;
  let [depth, aliases, cost] = [0, 0, 0];
  for (const selection of set.selections) {
    const isField = selection.kind === Kind.FIELD;
    let inner: SelectionSetNode | undefined;
    if (selection.kind === Kind.FRAGMENT_SPREAD) {
      for (const one of document.definitions)
        if (one.kind === Kind.FRAGMENT_DEFINITION && one.name.value === selection.name.value) inner = one.selectionSet;
    } else inner = selection.selectionSet;
    const load = inner === undefined ? ([0, 0, 0] as const) : loadOf(inner, document, defaults, nested + 1);
    if (load === null) return null;
    const times = isField
      ? Math.max(1, ...(selection.arguments ?? []).map((one) => lengthOf(one.name.value, one.value, defaults)))
      : 1;
    depth = Math.max(depth, load[0] + (isField ? 1 : 0));
    aliases += load[1] + (isField && selection.alias !== undefined ? 1 : 0);
    cost += isField ? times * (1 + load[2]) : load[2];
  }
  return [depth, aliases, cost];
}

function lengthOf(name: string, value: ValueNode, defaults: Defaults): number {
  if (value.kind === Kind.OBJECT)
    return Math.max(1, ...value.fields.map((one) => lengthOf(one.name.value, one.value, defaults)));
  if (value.kind === Kind.LIST) return Math.max(1, ...value.values.map((one) => lengthOf(name, one, defaults)));
  if (value.kind === Kind.VARIABLE) {
    const given = defaults.get(value.name.value);
    return given === undefined ? 1 : lengthOf(name, given, new Map());
  }
  if (!LISTS.has(name)) return 1;
  const amount =
    value.kind === Kind.INT || value.kind === Kind.FLOAT || (value.kind === Kind.STRING && value.value.trim() !== "")
      ? Number(value.value)
      : 1;
  return amount < 0 ? Number.POSITIVE_INFINITY : Math.max(1, amount || 1);
}
