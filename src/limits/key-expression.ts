import { type Attribute, attributeOf, bindAttribute, withoutCredential } from "../attributes/attribute.ts";
import { shownAttribute } from "../attributes/shown.ts";
import { AMBIGUOUS } from "../attributes/types.ts";
import type { Phase } from "../decision/phases.ts";
import { readerOf, typeOf } from "../expression/attribute-variable.ts";
import { compileValue, type Environment, type SourceFault } from "../expression/index.ts";
import { paramNames, parseTemplate } from "../matching/template.ts";
import type { Exchange } from "../message/exchange.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { KeyWorld } from "./key.ts";
import { type KeyPart, keyRead, latestPhase, phaseOf, refusalOf } from "./key-parts.ts";
import { feedValue, valueText } from "./key-values.ts";
import type { KeyHash } from "./rate/key-hash.ts";

/** An expression, bound to the routes of one template or to all. */
interface Bound {
  readonly attributes: readonly Attribute[];
  evaluate(exchange: Exchange): unknown;
}

/** The value of an expression in CEL as a part of a key. What it comes to nothing for is absent. */
class ExpressionPart implements KeyPart {
  readonly text: string;
  readonly phase: "admit" | "limit";
  readonly from: Phase;
  readonly mayBeAbsent = true;
  readonly hasMethod: boolean;
  readonly #source: string;
  readonly #world: KeyWorld;
  readonly #fixed: Bound | null;
  readonly #byTemplate = new Map<string, Bound>();

  constructor(source: string, general: Bound, world: KeyWorld) {
    this.text = `(${world.shown(source)})`;
    this.phase = general.attributes.every(({ row }) => phaseOf(row.from) === "admit") ? "admit" : "limit";
    this.hasMethod = general.attributes.some(({ row }) => row.name === "request.method");
    this.from = latestPhase(general.attributes.map(({ row }) => row.from));
    this.#source = source;
    this.#world = world;
    this.#fixed = general.attributes.some(({ row }) => row.name === "path" || row.name === "route") ? null : general;
  }

  bindRoute(template: string): { readonly text: string; readonly offset: number } | null {
    if (this.#fixed !== null || this.#byTemplate.has(template)) return null;
    const bound = bind(this.#source, template, this.#world);
    if (!bound.ok) return { text: bound.error.text, offset: bound.error.at };
    this.#byTemplate.set(template, bound.value);
    return null;
  }

  feed(hash: KeyHash, exchange: Exchange, template: string): boolean {
    return feedValue(hash, this.#bound(template)?.evaluate(exchange));
  }

  canonical(exchange: Exchange, template: string): string | null {
    return valueText(this.#bound(template)?.evaluate(exchange));
  }

  isAmbiguous(exchange: Exchange, template: string): boolean {
    return this.#bound(template)?.attributes.some(({ read }) => read(exchange) === AMBIGUOUS) ?? false;
  }

  /** What it looked at, and not what it came to: that may hold what must not be shown. */
  describe(exchange: Exchange, template: string): string {
    const attributes = this.#bound(template)?.attributes ?? [];
    return `${this.text} of ${attributes.map((one) => shownAttribute(one, exchange)).join(", ")}`;
  }

  #bound(template: string): Bound | undefined {
    return this.#fixed ?? this.#byTemplate.get(template);
  }
}

/** Source of an expression → part of a key, or what is wrong with it. */
export function expressionPart(
  source: string,
  world: KeyWorld,
): KeyPart | { readonly text: string; readonly offset: number } {
  const general = bind(source, null, world);
  if (!general.ok) return { text: general.error.text, offset: general.error.at };
  return new ExpressionPart(source, general.value, world);
}

/** `template`: null where no route is known yet, so that any path parameter may be one of it. */
function bind(
  source: string,
  template: string | null,
  { clock, isCredentialHeader, ownText }: KeyWorld,
): Result<Bound, SourceFault> {
  const attributes = new Map<string, Attribute>();
  const parsed = template === null ? null : parseTemplate(template);
  const environment: Environment<Exchange> = {
    variable: (path) => {
      const name = attributeOf(path);
      if (!name.ok) return name;
      const refusal = refusalOf(name.value);
      if (refusal !== null) return err(refusal);
      const parameters = parsed?.ok === true ? paramNames(parsed.value) : name.value.rest;
      const shown = withoutCredential(name.value, isCredentialHeader);
      const bound = bindAttribute(shown, { phase: "limit", parameters, route: template ?? "", clock });
      if (!bound.ok) return err(template === null ? bound.error : `${bound.error} (${template})`);
      const read = keyRead(bound.value);
      const attribute = { ...bound.value, read };
      attributes.set(attribute.text, attribute);
      return ok({ text: attribute.text, type: typeOf(attribute.type), read: readerOf(attribute) });
    },
  };
  const compiled = compileValue(source, environment, ownText(source));
  if (!compiled.ok) return compiled;
  return ok({ attributes: [...attributes.values()], evaluate: compiled.value.evaluate });
}
