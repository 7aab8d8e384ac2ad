import type { ValueConstraint } from "../../detection/facts.ts";
import { factsOf, togetherWith, type ValueFacts } from "../../schema/questions/facts.ts";
import { itemsOf, membersOf, type Parts } from "../../schema/questions/places.ts";
import { type Subschema, TYPE } from "../../schema/subschema.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { ValuePromise } from "../filter.ts";

const UNSHAPED = -1;

/** A place of a value that a schema speaks of. */
export interface ShapePlace {
  /** Index into `constraints`; -1 where nothing is known. */
  readonly shape: number;
  member(name: string): ShapePlace | null;
  item(at: number): ShapePlace | null;
}

/**
 * What the route's contract leaves open, for rules that need not search what it closes. Only what is enforced before
 * counts: a schema that is audited promises nothing.
 */
export class ValueShapes {
  readonly #path = new Map<string, number>();
  readonly #query = new Map<string, number>();
  readonly #form = new Map<string, number>();
  readonly #constraints: ValueConstraint[] = [];
  readonly #known = new Map<string, number>();
  #body: ShapePlace | null = null;
  /** Places that are not made yet, those near the root first; null once a body may come. */
  #ahead: (() => void)[] | null = null;

  get constraints(): readonly ValueConstraint[] {
    return this.#constraints;
  }

  /** A JSON body, which this schema has judged. */
  get body(): ShapePlace | null {
    return this.#body;
  }

  ofPath(name: string): number {
    return this.#path.get(name) ?? UNSHAPED;
  }

  ofQuery(name: string): number {
    return this.#query.get(name) ?? UNSHAPED;
  }

  ofForm(name: string): number {
    return this.#form.get(name) ?? UNSHAPED;
  }

  addPath(name: string, schema: Subschema): void {
    this.#path.set(name, this.#shapeOfText(schema));
  }

  addQuery(name: string, schema: Subschema): void {
    this.#query.set(name, this.#shapeOfText(schema));
  }

  addForm(name: string, schema: Subschema): void {
    this.#form.set(name, this.#shapeOfText(schema));
  }

  /** A list or an object is parts of one text, or several: nothing is known of the text as a whole. */
  #shapeOfText(schema: Subschema): number {
    const { types, values } = factsOf([schema]);
    const isOne =
      (types & (TYPE.array | TYPE.object)) === 0 || values?.every((value) => Object(value) !== value) === true;
    return isOne ? this.#shapeOf([schema]) : UNSHAPED;
  }

  setBody(schema: Subschema): void {
    this.#ahead = [];
    this.#body = this.#placeOf([schema]);
    for (let at = 0; at < this.#ahead.length && at < DEFAULTS.detectPlacesMax; at++) this.#ahead[at]?.();
    this.#ahead = null;
  }

  /** What nobody says of a value's type, an attacker chooses: what is said of items holds of no member, and the other way round. */
  #placeOf(schemas: readonly Subschema[]): ShapePlace {
    const together = togetherWith(schemas);
    // `additionalProperties` is for no name that a pattern takes.
    const hasPatterns = together.some(({ object }) => (object?.patterns ?? []).length > 0);
    const { own, others } = membersOf(together);
    const member = this.#placesOf({ own, others: hasPatterns ? [] : others });
    const item = this.#placesOf(itemsOf(together));
    return { shape: this.#shapeOf(schemas), member, item: (at) => item(String(at)) };
  }

  /**
   * Recursive schemas have no end: so many places are made ahead, for rules know only constraints that are there when a route's are
   * made, and others when a body has them.
   */
  #placesOf({ own, others }: Parts): (name: string) => ShapePlace | null {
    const places = new Map<readonly Subschema[], ShapePlace>();
    const placeOf = (parts: readonly Subschema[]): ShapePlace => {
      const place = places.get(parts) ?? this.#placeOf(parts);
      places.set(parts, place);
      return place;
    };
    for (const parts of [...own.values(), others]) if (parts.length > 0) this.#ahead?.push(() => placeOf(parts));
    return (name) => {
      const parts = own.get(name) ?? others;
      return parts.length === 0 ? null : placeOf(parts);
    };
  }

  #shapeOf(schemas: readonly Subschema[]): number {
    const constraint = constraintOf(factsOf(schemas));
    if (constraint === null) return UNSHAPED;
    const key = JSON.stringify(constraint);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const shape = this.#constraints.push(constraint) - 1;
    this.#known.set(key, shape);
    return shape;
  }
}

const SHORT_MAX = 64;

/** Null where a value of this kind can be any text. */
function constraintOf(facts: ValueFacts): ValueConstraint | null {
  const isText = (facts.types & TYPE.string) !== 0;
  // Numbers, booleans and null, and what the policy itself lists, leave no room.
  if (!isText || facts.values !== null) return { alphabet: null, lengthMax: 0, isClosed: true };
  const alphabet = facts.alphabet ?? alphabetOf(facts.formats);
  const lengthMax = facts.lengthMax <= SHORT_MAX ? facts.lengthMax : null;
  return alphabet === null && lengthMax === null ? null : { alphabet, lengthMax, isClosed: false };
}

const range = (text: string): readonly number[] => [...text].map((character) => character.charCodeAt(0));
const WORD = [0x30, 0x39, 0x41, 0x5a, 0x61, 0x7a];

/** Characters of formats that the engine judges of texts: first, last, first, last … `int64` asks nothing of a text. */
const ALPHABETS: Readonly<Record<string, readonly number[]>> = {
  uuid: [0x2d, 0x2d, 0x30, 0x39, 0x41, 0x46, 0x61, 0x66],
  date: [0x2d, 0x2d, 0x30, 0x39],
  "date-time": [...range("++--"), ...range(".."), 0x30, 0x3a, ...range("TTZZttzz")],
  time: [...range("++--"), ...range(".."), 0x30, 0x3a, ...range("ZZzz")],
  duration: [...range(".."), ...WORD],
  ipv4: [...range(".."), 0x30, 0x39],
  ipv6: [...range(".."), 0x30, 0x3a, 0x41, 0x46, 0x61, 0x66],
  hostname: [...range("--.."), ...WORD],
  byte: [...range("++"), 0x2f, 0x39, 0x3d, 0x3d, 0x41, 0x5a, 0x61, 0x7a],
};

function alphabetOf(formats: readonly string[]): readonly number[] | null {
  for (const format of formats) if (Object.hasOwn(ALPHABETS, format)) return ALPHABETS[format] ?? null;
  return null;
}

/** What `validate` promises of a route's requests, as far as it is enforced. */
export function shapesOf(promises: readonly ValuePromise[]): ValueShapes {
  const shapes = new ValueShapes();
  for (const { where, name, schema } of promises) {
    if (where === "body") shapes.setBody(schema);
    else if (where === "path") shapes.addPath(name, schema);
    else if (where === "query") shapes.addQuery(name, schema);
    else shapes.addForm(name, schema);
  }
  return shapes;
}
