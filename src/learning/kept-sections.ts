import { type Document, isAlias, isMap, isScalar, parseDocument, stringify, visit } from "yaml";
import { JOINED_LISTS, JOINED_MAPPINGS } from "../policy/joined.ts";
import { err, ok, type Result } from "../support/result.ts";
import { mapping, type Settings } from "./current-routes.ts";

/** What stands elsewhere in the learnt policy, or not at all: tests are of the routes that were, and it is one file. */
const REPLACED: ReadonlySet<string> = new Set(["routes", "limits", "tests", "include"]);

/** The current policy's text, as far as it stays. */
export interface KeptSections {
  /** Of YAML, with its comments; sections of several files have none. */
  readonly text: string;
  readonly limits: Settings;
  /** All of it, as values. */
  readonly value: Settings;
  /** Routes as each file has them: the policy's, then those of the files that it includes. */
  readonly routes: readonly (readonly unknown[])[];
}

/** A policy's text, and those of the files that it includes → what of them stays. */
export function keptSections(source: string, included: readonly string[] = []): Result<KeptSections, string> {
  const [document, ...others] = [source, ...included].map((text) => parseDocument(text, { merge: true }));
  if (
    document === undefined ||
    [document, ...others].some(({ errors, contents }) => errors.length > 0 || !isMap(contents))
  )
    return err("is no policy that can be read");
  const values = [document, ...others].map((one) => mapping(one.toJS({ maxAliasCount: 100 })));
  const [own = {}, ...rest] = values;
  const shared = sectionsOf(rest);
  const value = { ...own, ...joined(values, shared) };
  const routes = values.map((one) => listOf(one["routes"]));
  const kept = { limits: mapping(value["limits"]), value, routes };
  const goes = (name: string): boolean => REPLACED.has(name) || shared.includes(name);
  const added = Object.entries(value).filter(([name]) => shared.includes(name) && !REPLACED.has(name));
  const more = added.length === 0 ? "" : stringify(Object.fromEntries(added), { lineWidth: 0 });
  const text = piecesOf(document, source, goes);
  if (text !== null) return ok({ ...kept, text: text + more });
  const all = Object.fromEntries(Object.entries(own).filter(([name]) => !goes(name)));
  return ok({ ...kept, text: stringify(all, { lineWidth: 0 }) + more });
}

/** Sections that included files have. */
function sectionsOf(included: readonly Settings[]): readonly string[] {
  return [...JOINED_LISTS, ...JOINED_MAPPINGS].filter((name) => included.some((one) => one[name] !== undefined));
}

function joined(values: readonly Settings[], names: readonly string[]): Settings {
  const isList = (name: string): boolean => JOINED_LISTS.some((one) => one === name);
  return Object.fromEntries(
    names.map((name) => [
      name,
      isList(name)
        ? values.flatMap((one) => listOf(one[name]))
        : Object.assign({}, ...values.map((one) => mapping(one[name]))),
    ]),
  );
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The sections of a text that stay, as they are written; null where they lean on what goes. */
function piecesOf(document: Document, source: string, goes: (name: string) => boolean): string | null {
  const { contents } = document;
  let hasAliases = false;
  visit(document, {
    Alias: () => {
      hasAliases = true;
      return visit.BREAK;
    },
  });
  if (hasAliases || !isMap(contents) || contents.flow === true) return null;
  const starts = contents.items.map(({ key }) => (isScalar(key) ? (key.range?.[0] ?? 0) : 0));
  const pieces = contents.items.flatMap(({ key }, at) => {
    const name = isScalar(key) && !isAlias(key) ? String(key.value) : "";
    const text = source.slice(starts[at], starts[at + 1]);
    return goes(name) ? [] : [text.endsWith("\n") ? text : `${text}\n`];
  });
  return source.slice(0, starts[0]) + pieces.join("");
}

/** What a learnt policy begins with where there is none: two lines are for its reader to correct. */
export const FIRST_SECTIONS: KeptSections = {
  text: `version: 1
service: learnt
listeners: [{ name: inbound, address: 127.0.0.1:8080 }] # where clients ask
upstreams: { app: { address: http://127.0.0.1:3000 } } # the service
`,
  limits: {},
  value: {},
  routes: [],
};
