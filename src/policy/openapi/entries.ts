import { segmentShape } from "../../bodies/segment-parts.ts";
import type { Place } from "../../decision/verdict.ts";
import { parseTemplate, shapeOf } from "../../matching/template.ts";
import type { Description } from "../../openapi/description.ts";
import type { Findings } from "../../openapi/findings.ts";
import { placeText } from "../../openapi/findings.ts";
import type { Operation } from "../../openapi/operation.ts";
import type { SchemaPlace } from "../../schema/document.ts";
import type { Steps } from "../../support/turns.ts";
import { addAnswers } from "./answers.ts";
import { addCors } from "./cors.ts";
import { placeOf, RouteEntry } from "./entry.ts";
import type { Lowering } from "./lowering.ts";
import { type AccessFault, type AccessRules, accessOf } from "./security.ts";
import { lowerTemplate, type PartialSegment } from "./template.ts";
import { addValidation } from "./validate.ts";

/** An operation as a route, at one of its base paths. */
export interface OperationEntry {
  readonly operation: Operation;
  readonly entry: RouteEntry;
  readonly template: string;
  /** Base path and path, as the document has them. */
  readonly written: string;
  /** Segments that parameters are only a part of. */
  readonly partial: readonly PartialSegment[];
  /** Host and path shape, and method: no two of one description have the same. */
  readonly key: string;
  /** Why nobody knows from the document who may use it; null where that is known. */
  readonly fault: AccessFault | null;
  /** What the document asks for and this route does not enforce. */
  readonly loose: readonly string[];
}

/** Which version of the API a document describes, or which, and where the policy says so. */
export interface DescribedVersion {
  readonly names: string | readonly string[];
  readonly place: Place;
}

export interface EntryRules extends AccessRules {
  /** In place of what `servers` says; null for that. */
  readonly bases: readonly string[] | null;
  /** The policy's defaults say whose pages may call, and no document says more. */
  readonly hasDefaultCors: boolean;
  readonly version?: DescribedVersion | undefined;
  readonly lowering: Pick<Lowering, "requests" | "undeclaredParameters" | "answers">;
}

/** Every operation of a description as a route, in the order of the document. */
export function* entriesOf(
  description: Description,
  rules: EntryRules,
  findings: Findings,
): Steps<readonly OperationEntry[]> {
  const entries = new Map<string, OperationEntry>();
  for (const operation of description.operations) {
    for (const base of rules.bases ?? operation.bases) {
      const made = entryOf(operation, base, description, rules, findings);
      if (made === null) continue;
      const before = entries.get(made.key);
      if (before === undefined) entries.set(made.key, made);
      else entries.set(made.key, both(before, made, findings));
    }
    yield;
  }
  return [...entries.values()];
}

function entryOf(
  operation: Operation,
  base: string,
  description: Description,
  rules: EntryRules,
  findings: Findings,
): OperationEntry | null {
  const { place, pointer, method } = operation;
  const lowered = lowerTemplate(base, operation.template);
  const parsed = lowered === null ? null : parseTemplate(lowered.template);
  if (lowered === null || parsed === null || !parsed.ok) {
    const why = parsed?.ok === false ? parsed.error : "a path has no query and no fragment";
    findings.warning(place, `${method} ${base}${operation.template} is left out, and so refused: ${why}`);
    return null;
  }
  const told = new Set<string>();
  const loose = (what: string, at: SchemaPlace): void => {
    told.add(what);
    findings.loose(what, at);
  };
  const at = () => placeOf(place, pointer);
  const entry = new RouteEntry(at());
  entry.set(["path"], lowered.template, at);
  entry.set(["methods"], [method], at);
  addVersion(entry, rules.version);
  for (const { what, place } of operation.extensions.unmet) loose(what, place);
  if (operation.deprecated) entry.set(["deprecated"], {}, at);
  if (!rules.hasDefaultCors) addCors(entry, operation, loose);
  const fault = addAccess(entry, operation, rules);
  for (const segment of lowered.partial) {
    if (segmentShape(segment.written) === null) addPartial(entry, segment, operation);
    else entry.set(["validate", "path", segment.name], { segment: segment.written }, at);
    const { parameters } = segment;
    const isKept = operation.parameters.some(({ name, style }) => style === "matrix" && parameters.includes(name));
    if (isKept) entry.set(["keepInPaths"], ["parameters"], at);
  }
  const lowering = { ...rules.lowering, description, findings, loose };
  addValidation(entry, operation, lowered, lowering);
  if (lowering.answers !== null) addAnswers(entry, operation, lowering.answers, lowering);
  const key = routeKey(shapeOf(parsed.value), method, rules.version?.names);
  const written = `${base}${operation.template}`;
  return {
    operation,
    entry,
    template: lowered.template,
    written,
    partial: lowered.partial,
    key,
    fault,
    loose: [...told],
  };
}

function addPartial(entry: RouteEntry, { name, pattern }: PartialSegment, { place, pointer }: Operation): void {
  entry.set(["validate", "path", name], { type: "string", pattern }, () => placeOf(place, pointer));
}

function addAccess(entry: RouteEntry, operation: Operation, rules: AccessRules): AccessFault | null {
  const { place, pointer } = operation;
  const access = accessOf(operation, rules);
  const [requirement] = operation.security ?? [];
  const at = () => placeOf(requirement?.place ?? place, pointer);
  if (access === "defaults") return null;
  if (access === "public") entry.set(["public"], true, at);
  else if ("text" in access) return access;
  else {
    entry.set(["authenticate"], access.authenticate, at);
    if (access.authorize !== undefined) entry.set(["authorize"], access.authorize, at);
  }
  return null;
}

/**
 * Two operations whose paths routes do not tell apart, as `/{id}.json` and `/{id}`. One rule may stand for both where it is
 * the same; were it the first one's alone, requests of the other would pass by it.
 */
function both(first: OperationEntry, second: OperationEntry, findings: Findings): OperationEntry {
  const place = second.operation.place;
  const other = `'${first.operation.template}' (${placeText(first.operation.place)})`;
  if (accessText(first.entry) !== accessText(second.entry)) {
    findings.problem(
      place,
      `routes do not tell '${second.operation.template}' from ${other}, and who may use them differs; expected one rule for both, ` +
        "or another path",
    );
  } else {
    findings.warning(
      place,
      `routes do not tell '${second.operation.template}' from ${other}; parameters, bodies and answers of both are not enforced`,
    );
  }
  first.entry.remove("validate");
  first.entry.remove("response");
  first.entry.remove("cors");
  const partial = first.partial.flatMap((segment) => {
    const same = second.partial.find(({ name }) => name === segment.name);
    return same === undefined ? [] : [{ ...segment, pattern: `${segment.pattern}|${same.pattern}` }];
  });
  for (const segment of partial) addPartial(first.entry, segment, first.operation);
  return { ...first, partial, loose: [...new Set([...first.loose, ...second.loose, "parameters and body"])] };
}

export function addVersion(entry: RouteEntry, version: DescribedVersion | undefined): void {
  if (version !== undefined) entry.set(["version"], version.names, () => version.place);
}

/** What tells a route from others where it names no host. */
export function routeKey(shape: string, method: string, version: unknown): string {
  return version === undefined ? `${shape} ${method}` : `${shape} ${method} ${JSON.stringify(version)}`;
}

function accessText({ value }: RouteEntry): string {
  return JSON.stringify([value["authenticate"], value["authorize"], value["public"]]);
}
