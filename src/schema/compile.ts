import { DEFAULTS } from "../support/defaults.ts";
import type { Result } from "../support/result.ts";
import { err, ok } from "../support/result.ts";
import { closeAsWhole } from "./close-as-whole.ts";
import { type Cost, costOf } from "./cost.ts";
import { applyDiscriminator } from "./discriminate.ts";
import type { SchemaDocument, SchemaPlace, SchemaProblem, Site } from "./document.ts";
import { formatOf } from "./formats/index.ts";
import { applyInheritance } from "./inherit.ts";
import { Compiler } from "./judge/compiler.ts";
import type { Check } from "./judge/run.ts";
import { Validator } from "./judge/validator.ts";
import type { LibraryOptions } from "./language.ts";
import { Library } from "./library.ts";
import type { Notes } from "./notes.ts";
import { inOrder } from "./order.ts";
import { compilePattern, type Pattern, type PatternFault } from "./pattern/index.ts";
import { exampleOf } from "./questions/example.ts";
import { closedOut, contradictionOf, factsOf } from "./questions/facts.ts";
import { type Mutation, mutationOf } from "./questions/mutation.ts";
import { type BodyPlace, placesOf } from "./questions/places.ts";
import { Reader } from "./read.ts";
import { type Judging, type Recogniser, recogniserOf } from "./recognise/recogniser.ts";
import { asSeenFrom, type View } from "./requests.ts";
import type { Subschema } from "./subschema.ts";

const CLOSED_PARTS =
  "'additionalProperties: false' of parts of 'allOf' that refuse each other's members, in place of which the whole is closed";

/** A schema of more subschemas is made into checks at load: with its first body that would take a millisecond or more. */
const COMPILED_LATE_MAX = 256;

export interface CompileOptions extends LibraryOptions {
  /** Whether a member in another case than declared is refused. */
  readonly refusesOtherCase: boolean;
  /** Where the values are sent to the service, or come from it; null, or absent, for any values. */
  readonly view?: View | null;
  /** Some of it came from elsewhere: no fault shows a value that it wants. */
  readonly hidesValues?: boolean;
}

/** A schema that can judge, and can be asked what it knows. */
export class CompiledSchema {
  readonly validator: Validator;
  /** Null where the schema is not of the usual kind. */
  readonly recogniser: Recogniser | null;
  /** What a body can cost at most, by its bytes. */
  readonly cost: Cost;
  /** As it was read. */
  readonly schema: unknown;
  /** In the one form of all dialects. */
  readonly root: Subschema;
  /** Its parts' own checks and patterns. */
  readonly judging: Judging;
  /** What stands in the schema without being enforced, as `xml`, each with its first place. */
  readonly unenforced: ReadonlyMap<string, SchemaPlace | null>;

  constructor(
    { validator, recogniser, cost, judging }: Pick<CompiledSchema, "validator" | "recogniser" | "cost" | "judging">,
    schema: unknown,
    root: Subschema,
    unenforced: Notes["unenforcedWords"],
  ) {
    this.validator = validator;
    this.recogniser = recogniser;
    this.cost = cost;
    this.judging = judging;
    this.schema = schema;
    this.root = root;
    this.unenforced = unenforced;
  }

  /** Every place of a body that the schema speaks of, and which values it can have. */
  places(): readonly BodyPlace[] {
    return placesOf(this.root);
  }

  /** A body that fits; undefined where none is easily found. */
  example(): unknown {
    return exampleOf(this.root, this.validator);
  }

  /** A body that differs from a fitting one in one place and does not fit; null where none was found. */
  mutation(example: unknown): Mutation | null {
    return mutationOf(example, this.validator);
  }

  /** Why no body can fit, or have a member that is declared, where that shows at a glance. */
  contradiction(): string | null {
    const why = contradictionOf(factsOf([this.root]));
    if (why !== null) return `no body can fit: ${why}`;
    const name = closedOut(this.root);
    if (name === null) return null;
    return (
      `no body can have '${name}': one part of 'allOf' declares it and another refuses it by 'additionalProperties: false'; expected ` +
      "'unevaluatedProperties: false' beside 'allOf', or neither and 'undeclaredProperties: refuse' in section 'openapi'"
    );
  }
}

/**
 * A schema with all that it refers to → a validator, or all that is wrong with it, in the order of the file. `pointer`: where
 * in the document it stands (RFC 6901); empty for the whole of it.
 */
export function compileSchema(
  document: SchemaDocument,
  options: CompileOptions,
  pointer: string = "",
): Result<CompiledSchema, readonly SchemaProblem[]> {
  const library = new Library(options);
  const target = library.open(document, pointer);
  const { notes } = library;
  const reader = new Reader(library);
  if (notes.problems.length > 0) {
    // Its patterns are looked at all the same: whoever mends a file wants to hear of everything.
    reader.root(target);
    return err(sorted([...notes.problems, ...new Patterns(reader.all, false).problems]));
  }
  const tellUnnamed = (site: Site | null): void =>
    notes.unenforcedAt("discriminator of alternatives without names", site?.place ?? null);
  const root = applyInheritance(reader.all, reader.root(target), tellUnnamed);
  for (const schema of [...reader.all]) {
    if (schema.discriminator !== null && !applyDiscriminator(schema, reader.all))
      tellUnnamed(schema.discriminator.site);
  }
  closeAsWhole(reader.all, (site) => notes.unenforcedAt(CLOSED_PARTS, site?.place ?? null));
  if (options.view != null) asSeenFrom(reader.all, root, options.view);
  const ordered = inOrder(reader.all, DEFAULTS.schemaChainMax);
  if ("text" in ordered) {
    const { schema, text } = ordered;
    const place = schema.site?.place ?? null;
    return err([{ place, pointer: schema.pointer, text: `'#${schema.pointer}' ${text}` }]);
  }
  const patterns = new Patterns(reader.all, options.refusesOtherCase);
  for (const schema of reader.all) {
    noteFormat(schema, library);
    if (options.refusesOtherCase) noteNames(schema, patterns, library);
  }
  if (patterns.problems.length > 0) return err(sorted(patterns.problems));
  const cost = costOf(root, ordered, library.isDynamic ? [...library.resources].length : 1);
  const { isForking } = cost;
  const compiler = new Compiler(reader.all, {
    patternOf: (source) => patterns.get(source),
    anyCasePatternOf: (source) => patterns.find(anyCase(source)),
    refusesOtherCase: options.refusesOtherCase,
    isDynamic: library.isDynamic,
    isForking,
  });
  const compiled = once(() => compiler.compile(root));
  const isLarge = reader.all.length > COMPILED_LATE_MAX;
  const check: Check = isLarge ? compiled() : (value, run) => compiled()(value, run);
  const validator = new Validator(check, library.isDynamic, isForking, cost.judgementsMax, options.hidesValues);
  const judging = {
    child: (schema: Subschema) => {
      compiled();
      return compiler.child(schema);
    },
    patternOf: (source: string) => patterns.get(source),
  };
  const recogniser = library.isDynamic || isForking ? null : recogniserOf(root, judging);
  return ok(new CompiledSchema({ validator, recogniser, cost, judging }, target.schema, root, notes.unenforcedWords));
}

/** Of a thousand operations most have to wait long for their first body, or for ever. */
function once<Value>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function noteFormat({ format, resource, site }: Subschema, library: Library): void {
  if (format === null || formatOf(format.value, resource.language.dialect) !== null) return;
  library.notes.unenforcedAt(`format '${format.value}'`, (format.site ?? site)?.place ?? null);
}

/** Rules about names by which a member in another case may come past. */
function noteNames({ object }: Subschema, patterns: Patterns, library: Library): void {
  if (object === null) return;
  for (const { source, site } of object.patterns) {
    if (patterns.find(anyCase(source)) === null)
      library.notes.unenforcedAt("patternProperties in another case", site?.place ?? null);
  }
  const { names, namesSite } = object;
  const denied = names === null ? [] : [names, ...names.refs, ...names.allOf];
  // What it allows, it allows as it is spelled; what it denies is denied so, too.
  if (denied.some(({ not }) => not !== null))
    library.notes.unenforcedAt("'not' of propertyNames in another case", namesSite?.place ?? null);
}

function anyCase(source: string): string {
  return `(?i:${source})`;
}

/** All patterns of a plan, each compiled once. */
class Patterns {
  readonly problems: SchemaProblem[] = [];
  readonly #compiled = new Map<string, Pattern>();
  readonly #unseen = new Set<string>();

  /** `inAnyCase`: patterns of names for letters of either case, too. */
  constructor(all: readonly Subschema[], inAnyCase: boolean) {
    for (const { text, object, pointer } of all) {
      if (text.pattern !== undefined) this.#add(text.pattern.value, text.pattern.site, `${pointer}/pattern`);
      if (object === null) continue;
      for (const { source, site } of object.patterns) {
        this.#add(source, site, `${pointer}/patternProperties`);
        if (!inAnyCase) continue;
        const compiled = compileEither(anyCase(source));
        if (compiled.ok) this.#compiled.set(anyCase(source), compiled.value);
      }
    }
    const { size } = this.#unseen;
    if (size > 0)
      this.problems.push({
        place: this.problems.at(-1)?.place ?? null,
        pointer: "",
        text: `${size} more patterns are looked at once these are mended`,
      });
  }

  find(source: string): Pattern | null {
    return this.#compiled.get(source) ?? null;
  }

  get(source: string): Pattern {
    const pattern = this.#compiled.get(source);
    if (pattern === undefined) throw new Error("a pattern that the plan does not have");
    return pattern;
  }

  #add(source: string, site: Site | null, pointer: string): void {
    if (this.#compiled.has(source)) return;
    // To find out that a pattern is too dear is itself dear: of hundreds, half a minute.
    if (this.problems.length >= DEFAULTS.schemaPatternFaultsMax) {
      this.#unseen.add(source);
      return;
    }
    const compiled = compileEither(source);
    if (compiled.ok) this.#compiled.set(source, compiled.value);
    else
      this.problems.push({
        place: site?.place ?? null,
        pointer,
        text: `the pattern '${source.slice(0, 128)}': ${faultText(compiled.error)}`,
      });
  }
}

/** As ECMA-262 reads it with the flag `u`; where it has no meaning so, as without. */
function compileEither(source: string): Result<Pattern, PatternFault> {
  const unicode = compilePattern(source, { unicode: true });
  return !unicode.ok && unicode.error.kind === "syntax" ? compilePattern(source, { unicode: false }) : unicode;
}

function faultText({ message }: PatternFault): string {
  return message;
}

function sorted(problems: readonly SchemaProblem[]): readonly SchemaProblem[] {
  const position = ({ place }: SchemaProblem): number => (place === null ? 0 : place.line * 2 ** 20 + place.column);
  return [...problems].sort((a, b) => position(a) - position(b));
}
