import { WITHOUT_BODY } from "../message/method.ts";
import { parseSizeBytes } from "../support/units.ts";
import { mutationsOf, sampleOf } from "./body-values.ts";
import { languageBodies } from "./language-bodies.ts";
import { patternsOf } from "./patterns.ts";
import type { LocatedSchema, SchemaSource } from "./schema-source.ts";
import { type Settings, settingsOf, textsOf } from "./settings.ts";
import type { Place, SidedRoute } from "./sides.ts";
import type { WitnessBody } from "./witness.ts";

/** What of a request's body is another than at the middle of the grid. */
export interface BodyContext {
  /** In place of those of the middle, by lower-case name; null takes one off. */
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: WitnessBody;
}

/** Bodies that the rules of one route speak of. */
interface BodyRule {
  readonly type: string;
  /** Null where its content is not looked into, or not as JSON. */
  readonly located: LocatedSchema | null;
  readonly source: SchemaSource;
  /** In a language of its own. */
  readonly made?: readonly WitnessBody[];
}

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json$/;

function rulesOf({ side, placed }: SidedRoute, patterns: readonly string[] = []): readonly BodyRule[] {
  const validate = { ...validateOf(side.defaults), ...validateOf(placed.settings) };
  const { body, contentType } = validate;
  const { schema, content } = settingsOf(body);
  const rule = (type: string, value: unknown): BodyRule => {
    const isOpen = value === undefined || !JSON_TYPE.test(type);
    return { type, located: isOpen ? null : side.schemas.open(value), source: side.schemas };
  };
  const types = textsOf(contentType);
  const languages = languageBodies(validate, side.schemas, { patterns, template: placed.route.template }).map(
    ({ type, bodies }) => ({
      type: types.find((one) => one.includes(type.split("/")[1] ?? "")) ?? type,
      located: null,
      source: side.schemas,
      made: bodies,
    }),
  );
  return [
    ...languages,
    ...Object.entries(settingsOf(content)).map(([type, one]) =>
      rule(type.replace("/*", "/plain"), settingsOf(one)["schema"]),
    ),
    ...(schema === undefined ? types : types.length === 0 ? ["application/json"] : types).map((type) =>
      rule(type, schema),
    ),
  ];
}

function validateOf(settings: Settings): Settings {
  return settingsOf(settings["validate"]);
}

/** A body that the place's rules take, for requests of this method; null where none speaks of one. */
export function usualBody({ routes }: Place, method: string): Required<BodyContext> | null {
  if (WITHOUT_BODY.has(method)) return null;
  for (const sided of routes) {
    const { methods } = sided.placed.route;
    if (methods.length > 0 && !methods.includes(method)) continue;
    const [first] = rulesOf(sided);
    if (first === undefined) continue;
    const { type, located, source, made } = first;
    const text = made?.[0] ?? (located === null ? "{}" : JSON.stringify(sampleOf(located, source)));
    return { headers: { "content-type": type }, body: text };
  }
  return null;
}

/** Bodies of the types that either policy names and of one that none does, around each schema, and sizes at each bound. */
export function bodyContexts(place: Place): readonly BodyContext[] {
  const patterns = patternsOf(place);
  const rules = place.routes.flatMap((sided) => rulesOf(sided, patterns));
  const sizes = place.routes
    .flatMap(({ side, placed }) => [side.defaults, placed.settings])
    .flatMap((settings) => textsOf(settingsOf(validateOf(settings)["body"])["maxBytes"]))
    .flatMap((text) => {
      const bytes = parseSizeBytes(text);
      return bytes.ok ? [bytes.value, bytes.value + 1] : [];
    });
  if (rules.length + sizes.length === 0) return [];
  const ofSchemas = rules.flatMap(({ type, located, source, made = [] }) =>
    located === null
      ? made.map((body) => ({ type, body }))
      : [...mutationsOf(located, source, patterns), []].map((value) => ({ type, body: JSON.stringify(value) })),
  );
  const usual = rules[0]?.type ?? "application/json";
  const types = new Set([...rules.map(({ type }) => type), "application/json", "text/x-other"]);
  const others = [...types].map((type) => ({ type, body: "{}" }));
  const distinct = new Map(
    [...ofSchemas, ...others, { type: usual, body: "{" }].map(
      (one) => [`${one.type} ${keyOf(one.body)}`, one] as const,
    ),
  );
  return [
    ...[...distinct.values()].map(({ type, body }) => ({ headers: { "content-type": type }, body })),
    ...[...new Set(sizes)].map((bytes) => ({ headers: { "content-type": usual, "content-length": String(bytes) } })),
  ];
}

function keyOf(body: WitnessBody): string {
  return typeof body === "string" ? body : body.toString("latin1");
}
