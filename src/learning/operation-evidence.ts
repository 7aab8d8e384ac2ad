import { mediaTypeOf } from "../bodies/media-type.ts";
import type { TreeUse } from "../inventory/path-tree.ts";
import type { DecisionFacts } from "../records/decision-facts.ts";
import type { RecordedRequest } from "../records/recorded-line.ts";
import { shapeOf } from "../records/value-shape.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { REDACTED } from "../support/mask-tokens.ts";
import { MASKED, ParameterEvidence } from "./parameter-evidence.ts";
import { isKnown } from "./sources.ts";
import { brings, joinSupports, Support, supportIn } from "./support.ts";
import { decoded } from "./suspicion.ts";

/** Who somebody was, as far as rules may ask for it. */
export interface Identity {
  /** Null for callers whom nobody knows. */
  readonly authenticator: string | null;
  readonly type: string;
  /** Null of kinds of callers of whom no rule names one. */
  readonly id: string | null;
  readonly spiffeId: string | null;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  readonly groups: readonly string[];
}

/** What was seen of one method of one template, of requests that count. */
export class OperationEvidence implements TreeUse<OperationEvidence> {
  readonly method: string;
  readonly support: Support = new Support(DEFAULTS.learnOperationSourcesMax);
  firstMs: number = Number.POSITIVE_INFINITY;
  lastMs: number = Number.NEGATIVE_INFINITY;
  readonly identities: Map<string, { readonly identity: Identity; readonly support: Support }> = new Map();
  /** Of identities beyond those that are remembered. */
  readonly identitiesMore: Support = new Support();
  /** How many identities, parameters and media types each source has brought. */
  readonly #identitiesOf = new Map<number, number>();
  readonly #parametersOf = new Map<number, number>();
  readonly #mediaTypesOf = new Map<number, number>();
  /** Behind the route's prefix, or the parameters of its template, from the left. */
  readonly steps: ParameterEvidence[] = [];
  readonly query: Map<string, ParameterEvidence> = new Map();
  /** Of parameters beyond those that are remembered. */
  readonly parametersMore: Support = new Support();
  /** Requests of which nobody knows the kinds of values, of their query. */
  unknownShapes = 0;
  readonly mediaTypes: Map<string, Support> = new Map();
  /** By the power of two that they fit into. */
  readonly bodyBytes: Map<number, Support> = new Map();
  /** Of lines that tell no headers. */
  unknownMedia = 0;

  constructor(method: string) {
    this.method = method;
  }

  note(recorded: RecordedRequest, source: number, steps: readonly string[]): void {
    const { facts } = recorded;
    this.support.note(source);
    this.#times(facts.atMs, facts.atMs);
    this.#noteIdentity(facts, source);
    for (const [at, step] of steps.entries()) {
      const evidence = this.#step(at);
      evidence.noteTimes(source, 1);
      // Of what the record has masked the length is not known, nor is anything else.
      evidence.noteValue(source, step.includes(REDACTED) ? MASKED : shapeOf(decoded(step)), null);
    }
    this.#noteQuery(facts, source);
    this.#noteBody(recorded, source);
  }

  join(other: OperationEvidence): void {
    this.support.join(other.support);
    this.#times(other.firstMs, other.lastMs);
    for (const [key, { identity, support }] of other.identities) this.#identity(key, identity).join(support);
    this.identitiesMore.join(other.identitiesMore);
    for (const [at, evidence] of other.steps.entries()) this.#step(at).join(evidence);
    for (const [name, evidence] of other.query) {
      const own = this.#parameter(name, null);
      if (own === null) this.parametersMore.join(evidence.support);
      else own.join(evidence);
    }
    this.parametersMore.join(other.parametersMore);
    this.unknownShapes += other.unknownShapes;
    joinSupports(this.mediaTypes, other.mediaTypes, DEFAULTS.learnMediaTypesMax);
    joinSupports(this.bodyBytes, other.bodyBytes, SIZES_MAX);
    this.unknownMedia += other.unknownMedia;
  }

  release(): void {}

  #times(firstMs: number, lastMs: number): void {
    this.firstMs = Math.min(this.firstMs, firstMs);
    this.lastMs = Math.max(this.lastMs, lastMs);
  }

  #noteIdentity(facts: DecisionFacts, source: number): void {
    const identity = identityOf(facts);
    this.#identity(JSON.stringify(identity), identity, source).note(source);
  }

  /** `source`: who is that for the first time, if anybody in particular. */
  #identity(key: string, identity: Identity, source: number | null = null): Support {
    const known = this.identities.get(key);
    if (known !== undefined) return known.support;
    const { learnIdentitiesMax } = DEFAULTS;
    if (this.identities.size >= learnIdentitiesMax && identity.id !== null) {
      // So many that none is named: what they have in common still counts.
      const nameless = { ...identity, id: null };
      return this.#identity(JSON.stringify(nameless), nameless, source);
    }
    // Who asks for a token may choose its scopes: one caller in hundreds of ways must not take the others' place.
    if (source !== null && !brings(this.#identitiesOf, source, DEFAULTS.learnIdentitiesOfOneMax)) return new Support();
    if (this.identities.size >= 2 * learnIdentitiesMax) return this.identitiesMore;
    const support = new Support();
    this.identities.set(key, { identity, support });
    return support;
  }

  #step(at: number): ParameterEvidence {
    const evidence = this.steps[at] ?? new ParameterEvidence();
    this.steps[at] = evidence;
    return evidence;
  }

  #noteQuery({ query, shapes, values }: DecisionFacts, source: number): void {
    if (query.length > 0 && shapes === undefined) this.unknownShapes++;
    const times = new Map<string, number>();
    for (const name of query) times.set(name, (times.get(name) ?? 0) + 1);
    for (const [name, count] of times) {
      const parameter = this.#parameter(name, source);
      if (parameter === null) this.parametersMore.note(source);
      else parameter.noteTimes(source, count);
    }
    for (const [at, name] of query.entries()) {
      const shape = shapes?.[at];
      if (shape !== undefined) this.query.get(name)?.noteValue(source, shape, values?.[at] ?? null);
    }
  }

  /** Null where there are more than are remembered, or one caller has brought too many: none of those gets a rule. */
  #parameter(name: string, source: number | null): ParameterEvidence | null {
    const known = this.query.get(name);
    if (known !== undefined) return known;
    if (this.query.size >= DEFAULTS.learnParametersMax) return null;
    if (source !== null && !brings(this.#parametersOf, source, DEFAULTS.learnParametersOfOneMax)) return null;
    const evidence = new ParameterEvidence();
    this.query.set(name, evidence);
    return evidence;
  }

  #mediaType(type: string, source: number): Support | null {
    const isKnown = this.mediaTypes.has(type);
    if (!isKnown && !brings(this.#mediaTypesOf, source, DEFAULTS.learnMediaTypesOfOneMax)) return null;
    return supportIn(this.mediaTypes, type, DEFAULTS.learnMediaTypesMax);
  }

  #noteBody({ facts, hasHeaders }: RecordedRequest, source: number): void {
    if (!hasHeaders) this.unknownMedia++;
    if (facts.requestBytes <= 0) return;
    const bytes = Math.max(facts.requestBytes, DEFAULTS.learnBodyBytesMin);
    supportIn(this.bodyBytes, 2 ** Math.ceil(Math.log2(bytes)), SIZES_MAX)?.note(source);
    if (hasHeaders) this.#mediaType(mediaTypeIn(facts), source)?.note(source);
  }
}

/** Powers of two up to the largest body that can be. */
const SIZES_MAX = 64;
const CONTENT_TYPE = "content-type: ";

/** Empty where there is none that can be read. */
function mediaTypeIn({ headers }: DecisionFacts): string {
  const line = headers.find((one) => one.startsWith(CONTENT_TYPE));
  return line === undefined ? "" : (mediaTypeOf(line.slice(CONTENT_TYPE.length))?.type ?? "");
}

/** Kinds of callers that a file of the operator's names, and not their own provider: partners and machines. */
const NAMED: ReadonlySet<string> = new Set(["api-key", "signature", "client-certificate"]);

function identityOf(facts: DecisionFacts): Identity {
  const { principal, certificate } = facts;
  if (principal === null || !isKnown(facts)) {
    return { authenticator: principal?.authenticator ?? null, type: "anonymous", id: null, spiffeId: null, ...NOTHING };
  }
  const { authenticator, type, id } = principal;
  const spiffeId = type === "client-certificate" ? (certificate?.spiffeId ?? null) : null;
  return {
    authenticator,
    type,
    id: NAMED.has(type) && spiffeId === null ? id : null,
    spiffeId,
    scopes: principal.scopes.filter(isWhole).toSorted(),
    roles: principal.roles.filter(isWhole).toSorted(),
    groups: principal.groups.filter(isWhole).toSorted(),
  };
}

const NOTHING = { scopes: [], roles: [], groups: [] };

/** Neither masked nor cut. */
function isWhole(text: string): boolean {
  return !text.includes(REDACTED) && !text.endsWith("…");
}
