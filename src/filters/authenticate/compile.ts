import { CONTINUE } from "../../decision/verdict.ts";
import type { Exchange } from "../../message/exchange.ts";
import { type Authenticator, defineFilter, type RouteContext } from "../filter.ts";
import { AuthenticateCheck } from "./evaluate.ts";
import { AllKnower, AnyKnower, type AudienceRule, type Knower, OneKnower } from "./knowers.ts";
import { type AuthenticateSettings, authenticateSchema, type Group, type Term } from "./schema.ts";
import { StepUp } from "./step-up.ts";

type Path = readonly (string | number)[];

export const authenticateFilter = defineFilter<AuthenticateSettings>({
  name: "authenticate",
  defaults: "override",
  insteadOf: ["any", "all"],
  schema: authenticateSchema,
  compile: (settings, context) => {
    // A public route does not take over the authenticators of the defaults.
    if (context.isPublic) return;
    const { kind, terms, path, mode } = formOf(settings);
    const audience = audienceOf(settings, context);
    const resolver = new Resolver(context, audience);
    const knower = resolver.group(kind, terms, path);
    const { named: authenticators, anonymous } = resolver;
    const hasNoTokens = context.hasAllAuthenticators && authenticators.every(({ tokens }) => tokens === undefined);
    if (audience !== null && hasNoTokens) {
      context.problem("none of these authenticators has tokens, which alone are for somebody", "audience");
    }
    context.addCheck(
      new AuthenticateCheck({
        place: context.place(),
        enforcePercent: mode,
        knower,
        anonymous: anonymous?.anonymous ?? null,
        stepUp: stepUpOf(settings, context),
        bans: context.bans,
        revocations: context.revocations,
        authenticators,
        wantedScopes: context.wantedScopes,
      }),
    );
    context.nameAuthenticators(authenticators.map(({ name }) => name));
    context.declareHeaders(authenticators.flatMap(({ coveredHeaders = [] }) => coveredHeaders));
    context.addCredentialHeaders(authenticators.flatMap(({ credentialHeaders }) => credentialHeaders));
    context.addCredentialParameters(authenticators.flatMap(({ credentialParameters = [] }) => credentialParameters));
    for (const name of namedLimits(authenticators)) addCallerLimit(name, context);
  },
});

/** Limits that callers' own entries in files name. */
function namedLimits(authenticators: readonly Authenticator[]): ReadonlySet<string> {
  const all = authenticators.flatMap(({ limits = [] }) => limits);
  return new Set(all.flatMap(({ section, name }) => (section === "limits" ? [name] : [])));
}

/** One of them, beside the limits of the route: it climbs the ladder that is its own, and not that of `authenticate`. */
function addCallerLimit(name: string, { limits, template, ...context }: RouteContext): void {
  const limit = limits.get(name);
  if (limit === undefined) return;
  const isOf = ({ principal }: Exchange): boolean => principal?.limit === name;
  context.addCheck({
    name: "limit",
    phase: "limit",
    place: limit.place,
    enforcePercent: limit.enforcePercent,
    once: true,
    ...(limit.looksBackMs === undefined ? {} : { looksBackMs: limit.looksBackMs }),
    share: (exchange) => limit.key?.share(exchange, template) ?? null,
    evaluate: (exchange) => (isOf(exchange) ? limit.evaluate(exchange, template) : CONTINUE),
    explain: (exchange) =>
      isOf(exchange) ? limit.explain(exchange, template) : `'${name}' is not this caller's limit`,
  });
}

function stepUpOf(settings: AuthenticateSettings, context: RouteContext): StepUp | null {
  if (Array.isArray(settings)) return null;
  const { acr, maxAge } = settings;
  if (acr === undefined && maxAge === undefined) return null;
  const place = context.place(acr === undefined ? "maxAge" : "acr");
  return new StepUp({ acr: acr ?? null, maxAgeMs: maxAge ?? null }, place, context);
}

function audienceOf(settings: AuthenticateSettings, context: RouteContext): AudienceRule | null {
  if (Array.isArray(settings) || settings.audience === undefined) return null;
  return { names: settings.audience, place: context.place("audience") };
}

interface Form {
  readonly kind: "any" | "all";
  readonly terms: readonly Term[];
  readonly path: Path;
  readonly mode: number;
}

function formOf(settings: AuthenticateSettings): Form {
  if (Array.isArray(settings)) return { kind: "any", terms: settings, path: [], mode: 100 };
  const { any, all, mode = 100 } = settings;
  if (all !== undefined) return { kind: "all", terms: all, path: ["all"], mode };
  return { kind: "any", terms: any ?? [], path: ["any"], mode };
}

/** Names → who is asked, in the order in which they stand. */
class Resolver {
  /** Each once; without the anonymous one. */
  readonly named: Authenticator[] = [];
  anonymous: Authenticator | null = null;
  /** One of them has problems of its own, which are told. */
  #hasBroken = false;
  readonly #context: RouteContext;
  readonly #audience: AudienceRule | null;

  constructor(context: RouteContext, audience: AudienceRule | null) {
    this.#context = context;
    this.#audience = audience;
  }

  group(kind: "any" | "all", terms: readonly Term[], path: Path): Knower {
    const seen = new Set<string>();
    const knowers = terms.flatMap((term, at) => {
      const place = [...path, at];
      if (typeof term !== "string") return [this.#inner(term, place)];
      if (seen.has(term)) this.#context.problem(`authenticator '${term}' is named twice`, ...place);
      seen.add(term);
      return this.#one(term, place, kind === "any" && at === terms.length - 1 && place.length <= 2);
    });
    return kind === "any" ? new AnyKnower(knowers) : new AllKnower(knowers);
  }

  #inner({ any, all }: Group, path: Path): Knower {
    return all !== undefined
      ? this.group("all", all, [...path, "all"])
      : this.group("any", any ?? [], [...path, "any"]);
  }

  #one(name: string, path: Path, isLastChoice: boolean): Knower[] {
    const context = this.#context;
    const authenticator = context.authenticators.get(name);
    if (authenticator === undefined) {
      if (context.isDefined("authenticators", name)) {
        this.#hasBroken = true;
        return [];
      }
      context.problem(`authenticator '${name}' is not defined; ${context.hint("authenticators", name)}`, ...path);
      return [];
    }
    if (authenticator.anonymous !== undefined) {
      this.#setAnonymous(authenticator, path, isLastChoice);
      return [];
    }
    if (!this.named.includes(authenticator)) this.named.push(authenticator);
    return [new OneKnower(authenticator, context.revocations, this.#audience)];
  }

  #setAnonymous(authenticator: Authenticator, path: Path, isLastChoice: boolean): void {
    const { name } = authenticator;
    if (!isLastChoice) {
      this.#context.problem(
        `'${name}' is anonymous, so it can only be the last choice of the route's own list`,
        ...path,
      );
    } else if (this.named.length === 0 && !this.#hasBroken) {
      this.#context.problem(`'${name}' alone asks nobody who they are; expected 'public: true'`, ...path);
    }
    this.anonymous = authenticator;
  }
}
