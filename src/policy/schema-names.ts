import type { Steps } from "../support/turns.ts";
import { DEFAULTS_KEY } from "./compile-defaults.ts";
import type { Path } from "./path.ts";

/** The policy as it stands in its file. */
interface Raw {
  raw(path: Path): unknown;
}

/** `file#pointer` wherever the rules of `route` (or of `defaults`) for requests and answers take one, and where that is. */
export function* schemaNames(policy: Raw, route: Path): Generator<readonly [Path, string]> {
  const request: Path = [...route, "validate"];
  const answer: Path = [...route, "response", "validate"];
  const owners = [...ownersInRequest(policy.raw(request), request), ...ownersInAnswer(policy.raw(answer), answer)];
  for (const [at, owner] of owners) {
    for (const key of ["schema", "itemSchema"]) {
      const name = isMapping(owner) ? owner[key] : undefined;
      if (typeof name === "string" && name.includes("#")) yield [[...at, key], name];
    }
  }
}

/** Whether a route names a schema that is a part of a file. */
export function* namesPart(policy: Raw): Steps<boolean> {
  const routes = policy.raw(["routes"]);
  const paths: Path[] = [[DEFAULTS_KEY]];
  if (Array.isArray(routes)) for (const at of routes.keys()) paths.push(["routes", at]);
  for (const path of paths) {
    yield;
    const [first] = schemaNames(policy, path);
    if (first !== undefined) return true;
  }
  return false;
}

type Owner = readonly [Path, unknown];

function ownersInRequest(validate: unknown, at: Path): Owner[] {
  if (!isMapping(validate)) return [];
  const { body, queryString, form } = validate;
  return [
    [[...at, "body"], body],
    [[...at, "queryString"], queryString],
    ...entriesOf(form, [...at, "form"], "fields"),
    ...["path", "query", "headers", "cookies"].flatMap((section) => entriesOf(validate, at, section)),
    ...entriesOf(body, [...at, "body"], "content"),
  ];
}

function ownersInAnswer(validate: unknown, at: Path): Owner[] {
  const answers = [[at, validate] as const, ...entriesOf(validate, at, "responses")];
  return answers.flatMap(([place, answer]) => [
    ...entriesOf(answer, place, "headers"),
    ...entriesOf(answer, place, "content"),
  ]);
}

/** What stands in the mapping under `key` of another, each with its place. */
function entriesOf(owner: unknown, at: Path, key: string): Owner[] {
  const entries = isMapping(owner) ? owner[key] : undefined;
  return isMapping(entries) ? Object.entries(entries).map(([name, entry]) => [[...at, key, name], entry]) : [];
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
