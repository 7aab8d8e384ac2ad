import { factsOf, togetherWith } from "../../../src/schema/questions/facts.ts";
import { childrenOf } from "../../../src/schema/questions/places.ts";
import { type Subschema, TYPE } from "../../../src/schema/subschema.ts";

const DEPTH_MAX = 6;
const ITEMS = 2;

/** Texts of formats, and the number, that stand where a people's text cannot. */
const BY_FORMAT: Readonly<Record<string, string>> = {
  "date-time": "2026-01-31T12:00:00Z",
  date: "2026-01-31",
  email: "maeve.o'brien@example.org",
  hostname: "shop.example.org",
  ipv4: "192.0.2.1",
  uri: "https://example.org/search?q=blue+shirt&page=2#top",
  url: "https://example.org/search?q=blue+shirt&page=2#top",
  uuid: "0b6e2f6e-5a1f-4a9a-a8a5-2d9ce2b5a1f1",
  byte: "Ymx1ZSBzaGlydA==",
  duration: "P1DT2H",
};
const NUMBER = 12;

/** What ordinary clients send in a member or parameter of a name, in turn. */
export interface OrdinaryValues {
  readonly turn: number;
  readonly examples: ReadonlyMap<string, readonly unknown[]>;
  /** Of the value that is made. */
  readonly name: string;
}

/** A value with every declared member, and `text` in each open text. Of alternatives the first; it may not fit. */
export function grown(given: readonly Subschema[], text: string, ordinary: OrdinaryValues, depth = 0): unknown {
  const schemas = withAlternatives(given);
  const inside = (name: string): OrdinaryValues => ({ ...ordinary, name });
  const known = ordinary.examples.get(ordinary.name) ?? [];
  if (known.length > 0) return known[ordinary.turn % known.length];
  const { types, values, formats, lengthMax, itemsMin } = factsOf(schemas);
  if (values !== null) return values[ordinary.turn % values.length];
  const children = childrenOf(togetherWith(schemas));
  if ((types & TYPE.object) !== 0 && (children.size > 0 || (types & TYPE.string) === 0)) {
    const names = [...children.keys()].filter((name) => name !== "*" && depth < DEPTH_MAX);
    return Object.fromEntries(
      names.map((name) => [name, grown(children.get(name) ?? [], text, inside(name), depth + 1)]),
    );
  }
  if ((types & TYPE.array) !== 0 && (types & TYPE.string) === 0) {
    const length = depth < DEPTH_MAX ? Math.max(itemsMin, ITEMS) : itemsMin;
    return Array.from({ length }, () => grown(children.get("*") ?? [], text, ordinary, depth + 1));
  }
  if ((types & TYPE.string) !== 0) {
    const usual = BY_FORMAT[formats[0] ?? ""] ?? text;
    return Number.isFinite(lengthMax) ? [...usual].slice(0, lengthMax).join("") : usual;
  }
  if ((types & (TYPE.integer | TYPE.number)) !== 0) return NUMBER;
  return (types & TYPE.boolean) === 0 ? null : true;
}

function withAlternatives(schemas: readonly Subschema[]): readonly Subschema[] {
  const chosen = togetherWith(schemas).flatMap(({ oneOf, anyOf }) =>
    [oneOf, anyOf].flatMap((part) => part?.parts.slice(0, 1) ?? []),
  );
  return chosen.length === 0 ? schemas : [...schemas, ...chosen];
}
