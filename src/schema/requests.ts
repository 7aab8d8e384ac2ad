import { blank } from "./read.ts";
import { isLeaf, memberParts, type Subschema } from "./subschema.ts";

/** What else a schema means where its values are sent to the service. */
export interface RequestRules {
  /** Whether a member that only the service sets may be sent. It need never be, whatever `required` says (OpenAPI 3.0 section 4.7.24). */
  readonly readOnly: "ignore" | "refuse";
  /** Whether objects that say nothing of other members may have some. */
  readonly undeclared: "ignore" | "refuse";
}

/** The same where they come from it. */
export interface AnswerRules {
  /** Whether a member that only clients set may leave. It need never be there, whatever `required` says. */
  readonly writeOnly: "ignore" | "refuse";
  readonly undeclared: "ignore" | "refuse";
}

/** The side from which a schema is looked at. */
export type View = RequestRules | AnswerRules;

/** Equal for views that are the same. */
export function viewKey(view: View | null | undefined): string {
  if (view === null || view === undefined) return "any";
  return "writeOnly" in view
    ? `answers ${view.writeOnly} ${view.undeclared}`
    : `requests ${view.readOnly} ${view.undeclared}`;
}

/** Changes a plan, of one use, to what it means for requests or for answers. */
export function asSeenFrom(all: Subschema[], root: Subschema, view: View): void {
  const isOfAnswers = "writeOnly" in view;
  if (isOfAnswers) for (const schema of all) schema.isReadOnly = schema.isWriteOnly;
  const refuses = (isOfAnswers ? view.writeOnly : view.readOnly) === "refuse";
  if (all.some((schema) => schema.isReadOnly)) relieve([...all], all, refuses);
  if (view.undeclared === "refuse") close(all, root);
}

// ---- readOnly ------------------------------------------------------------------------------------------------------

function relieve(schemas: readonly Subschema[], all: Subschema[], refuses: boolean): void {
  const refused = new Map<Subschema, Subschema>();
  for (const schema of schemas) {
    const group = togetherWith(schema);
    const names = namesSetByService(group);
    const alternatives = alternativesOf(group);
    for (const part of alternatives) relieveAlternative(part, names);
    for (const name of namesSetByService(alternatives))
      if ([...alternatives].every(({ object }) => isSetByService(object?.properties.get(name)))) names.add(name);
    if (names.size === 0) continue;
    for (const part of group) {
      const { object } = part;
      if (object === null) continue;
      const required = object.required.filter(({ value }) => !names.has(value));
      const properties = new Map(object.properties);
      for (const [name, member] of properties) {
        if (refuses && names.has(name) && isSetByService(member)) properties.set(name, refusedOf(member, refused, all));
      }
      part.object = { ...object, required, properties };
    }
  }
}

/** Of members that some of the schemas declare. */
function namesSetByService(schemas: ReadonlySet<Subschema>): Set<string> {
  const members = [...schemas].flatMap(({ object }) => [...(object?.properties ?? [])]);
  return new Set(members.flatMap(([name, member]) => (isSetByService(member) ? [name] : [])));
}

/** All that may speak of the same value beside others. */
function alternativesOf(group: ReadonlySet<Subschema>): ReadonlySet<Subschema> {
  const parts = [...group].flatMap(({ anyOf, oneOf }) => [...(anyOf?.parts ?? []), ...(oneOf?.parts ?? [])]);
  return new Set(parts.flatMap((part) => [...togetherWith(part)]));
}

/** An alternative that asks for nothing but what the service sets is one of answers, and stays as it is. */
function relieveAlternative(part: Subschema, names: ReadonlySet<string>): void {
  const { object } = part;
  const required = object?.required.filter(({ value }) => !names.has(value) || object.properties.has(value)) ?? [];
  if (object !== null && required.length > 0) part.object = { ...object, required };
}

/** A member that is not declared is set by nobody else. */
function isSetByService(member: Subschema | undefined): boolean {
  if (member === undefined) return true;
  return [...togetherWith(member)].some(({ isReadOnly }) => isReadOnly);
}

/** In place of a member's schema: no value at all. */
function refusedOf(member: Subschema, refused: Map<Subschema, Subschema>, all: Subschema[]): Subschema {
  if (member.isNever) return member;
  const known = refused.get(member) ?? blank(all.length, member.resource, member.pointer, member.site, true);
  if (!refused.has(member)) {
    known.isReadOnly = true;
    known.xml = [...togetherWith(member)].find(({ xml }) => xml !== null)?.xml ?? null;
    known.isWriteOnly = [...togetherWith(member)].some(({ isReadOnly, isWriteOnly }) => isReadOnly && isWriteOnly);
    all.push(known);
    refused.set(member, known);
  }
  return known;
}

/** The schema, and all that surely speaks of the same value. */
export function togetherWith(schema: Subschema): ReadonlySet<Subschema> {
  const group = new Set([schema]);
  if (isLeaf(schema)) return group;
  for (const { refs, allOf } of group) for (const part of [...refs, ...allOf]) group.add(part);
  return group;
}

/** What stands for a value that is not there: of the schema, or of one that it refers to. Undefined for nothing. */
export function defaultOf(member: Subschema): unknown {
  for (const schema of togetherWith(member)) if (schema.default !== null) return schema.default.value;
  return undefined;
}

// ---- undeclared members --------------------------------------------------------------------------------------------

/**
 * Objects that declare members and say nothing of others are closed, where all that speaks of them has had its say: a part of an
 * `allOf` knows its own members alone.
 */
function close(all: Subschema[], root: Subschema): void {
  const composed = composedIn(all);
  const nothing = blank(all.length, root.resource, "", null, true);
  nothing.isUndeclared = true;
  const starts = new Set([root, ...all.flatMap(memberParts)]);
  for (const start of starts) {
    const group = speakingOf(start);
    const objects = [...group].flatMap(({ object }) => (object === null ? [] : [object]));
    if (!objects.some(({ properties }) => properties.size > 0)) continue;
    if (objects.some(({ additional }) => additional !== null)) continue;
    if ([...group].some(({ unevaluatedProperties }) => unevaluatedProperties !== null)) continue;
    const target = behindReferences(start);
    const isAlone = speakingOf(target).size === 1 && !composed.has(target) && target.object !== null;
    if (isAlone && target.object !== null) target.object = { ...target.object, additional: nothing };
    else start.unevaluatedProperties = nothing;
  }
  all.push(nothing);
}

/** Schemas that are parts of others for the same value. */
function composedIn(all: readonly Subschema[]): ReadonlySet<Subschema> {
  const composed = new Set<Subschema>();
  for (const schema of all) {
    if (isLeaf(schema)) continue;
    const { allOf, anyOf, oneOf, not, condition, dependentSchemas } = schema;
    const conditional = condition === null ? [] : [condition.if, condition.then, condition.else];
    const parts = [...allOf, ...(anyOf?.parts ?? []), ...(oneOf?.parts ?? []), ...(not?.parts ?? []), ...conditional];
    for (const part of parts) if (part !== null) composed.add(part);
    for (const dependent of dependentSchemas) composed.add(dependent.schema);
    // A reference with words beside it is a part, too.
    if (behindReferences(schema) === schema) for (const target of schema.refs) composed.add(target);
  }
  for (const schema of composed) for (const target of schema.refs) composed.add(target);
  return composed;
}

/** What a schema stands for that is a reference and nothing else. */
function behindReferences(schema: Subschema): Subschema {
  const seen = new Set<Subschema>();
  let at = schema;
  for (let [only] = at.refs; only !== undefined && !seen.has(at); [only] = at.refs) {
    if (at.object !== null || speakingOf(at, false).size > 1 || at.refs.length > 1) break;
    seen.add(at);
    at = only;
  }
  return at;
}

/** Everything that may speak of the same value. */
function speakingOf(schema: Subschema, follows = true): ReadonlySet<Subschema> {
  const group = new Set([schema]);
  for (const { refs, allOf, anyOf, oneOf, condition, dependentSchemas, dynamicRefs } of group) {
    const conditional = condition === null ? [] : [condition.if, condition.then, condition.else];
    const parts = [
      ...(follows ? refs : []),
      ...allOf,
      ...(anyOf?.parts ?? []),
      ...(oneOf?.parts ?? []),
      ...conditional,
    ];
    for (const part of parts) if (part !== null) group.add(part);
    for (const dependent of dependentSchemas) group.add(dependent.schema);
    for (const { targets, fallback } of dynamicRefs)
      for (const part of [...targets.values(), fallback]) group.add(part);
  }
  return group;
}
