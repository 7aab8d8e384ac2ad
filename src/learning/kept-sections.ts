import { isAlias, isMap, isScalar, parseDocument, stringify, visit } from "yaml";
import { err, ok, type Result } from "../support/result.ts";
import { mapping, type Settings } from "./current-routes.ts";

/** What stands elsewhere in the learnt policy, or not at all: tests are of the routes that were. */
const REPLACED: ReadonlySet<string> = new Set(["routes", "limits", "tests"]);

/** The current policy's text, as far as it stays. */
export interface KeptSections {
  /** Of YAML, with its comments. */
  readonly text: string;
  readonly limits: Settings;
  /** All of it, as values. */
  readonly value: Settings;
}

/** A policy's text → what of it stays. */
export function keptSections(source: string): Result<KeptSections, string> {
  const document = parseDocument(source, { merge: true });
  const { contents } = document;
  if (document.errors.length > 0 || !isMap(contents)) return err("is no policy that can be read");
  const value = mapping(document.toJS({ maxAliasCount: 100 }));
  if (value["include"] !== undefined) return err("is in several files; expected one without 'include'");
  const kept = { limits: mapping(value["limits"]), value };
  let hasAliases = false;
  visit(document, {
    Alias: () => {
      hasAliases = true;
      return visit.BREAK;
    },
  });
  if (hasAliases || contents.flow === true) {
    const rest = Object.fromEntries(Object.entries(value).filter(([key]) => !REPLACED.has(key)));
    return ok({ ...kept, text: stringify(rest, { lineWidth: 0 }) });
  }
  const starts = contents.items.map(({ key }) => (isScalar(key) ? (key.range?.[0] ?? 0) : 0));
  const pieces = contents.items.flatMap(({ key }, at) => {
    const name = isScalar(key) && !isAlias(key) ? String(key.value) : "";
    const text = source.slice(starts[at], starts[at + 1]);
    return REPLACED.has(name) ? [] : [text.endsWith("\n") ? text : `${text}\n`];
  });
  return ok({ ...kept, text: source.slice(0, starts[0]) + pieces.join("") });
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
};
