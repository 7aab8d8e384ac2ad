import type { CallProxy } from "../calls/call.ts";
import type { LintRule } from "../decision/lint-rule.ts";
import type { Place } from "../decision/verdict.ts";
import type { AuthorizeRule } from "../filters/authorize/schema.ts";
import type { Bans } from "../filters/bans/evaluate.ts";
import type { DescribedSchema } from "../filters/compile-context.ts";
import type { UnroutedCors } from "../filters/cors/unrouted.ts";
import type {
  Authenticator,
  Check,
  CompileContext,
  DecisionService,
  Detector,
  Limit,
  LimitStoreUse,
  Plan,
} from "../filters/filter.ts";
import type { Registry } from "../filters/index.ts";
import type { LadderSeed } from "../filters/ladder.ts";
import type { Overload } from "../filters/overload/evaluate.ts";
import type { IdentityLine } from "../filters/request/identity.ts";
import type { IdentityKeys } from "../filters/request/identity-keys.ts";
import type { RequestIds } from "../filters/request-id/evaluate.ts";
import type { Revocations } from "../filters/revoked/evaluate.ts";
import type { VersionRules, Versions } from "../filters/versions/evaluate.ts";
import { Places } from "../limits/concurrency/places.ts";
import type { RouteTree } from "../matching/route-tree.ts";
import { type MemoryBudget, unlimitedMemory } from "../memory/budget.ts";
import type { Geo } from "../message/geo.ts";
import type { SchemaLibrary } from "../openapi/description.ts";
import type { DecisionRecords } from "../records/decision-records.ts";
import type { Acquisition } from "../resources/registry.ts";
import { Waiting } from "../resources/waiting.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Result } from "../support/result.ts";
import type { SecretReference } from "../support/secret.ts";
import { withoutLineEnd } from "../support/secret.ts";
import { secretWithoutMark } from "../support/text.ts";
import { threadHolds } from "../support/thread-holds.ts";
import { systemTimers } from "../support/timers.ts";
import { Turns } from "../support/turns.ts";
import type { LogSettings } from "../telemetry/log-settings.ts";
import type { CertificateFacts, RevocationListFacts } from "../telemetry/telemetry.ts";
import type { Tracing } from "../tracing/tracing.ts";
import type { Audited } from "./audit/audited.ts";
import type { CompileInputs } from "./compile-inputs.ts";
import { Concealed } from "./concealed.ts";
import { Definitions } from "./definitions.ts";
import type { DescribedRoute } from "./described-routes.ts";
import type { PolicyDocument, TextResolver } from "./document.ts";
import { EntryReader } from "./entries.ts";
import type { IdentitySetting, RoutePlace } from "./identity-setting.ts";
import { Kept } from "./kept.ts";
import type { LaidStep } from "./ladder-step.ts";
import { DOES_NOT_EXIST, NamedFiles } from "./named-files.ts";
import { noResources } from "./no-resources.ts";
import { NO_RESPONSE_RULES } from "./no-rules.ts";
import type { PolicyOutline } from "./outline.ts";
import type { Path } from "./path.ts";
import { ProblemList, WarningList } from "./problems.ts";
import { References } from "./references.ts";
import type { ResourceEntry, RouteUse } from "./resource-setting.ts";
import { Rewrites } from "./rewrites.ts";
import { credentialFrom } from "./shown-credential.ts";
import {
  type AdminSettings,
  type CandidateSettings,
  type GuardSettings,
  type LadderCheck,
  type ListenerSettings,
  NO_ADMIN,
  type OwnPage,
  type RewriteResponse,
  type Route,
  type Rung,
  type Silenced,
  type UnhealthyRefusal,
  type UpstreamSettings,
} from "./snapshot.ts";
import type { PolicyTest } from "./tests/policy-test.ts";

/** A compilation under way: each stage reads what earlier ones have set and adds its own. */
export class Work {
  readonly file: string;
  readonly inputs: CompileInputs;
  readonly registry: Registry;
  readonly memory: MemoryBudget;
  readonly turns: Turns;
  readonly concealed: Concealed = new Concealed();
  readonly problems: ProblemList = new ProblemList(this.concealed);
  readonly warnings: WarningList = new WarningList(this.concealed);
  readonly silenced: Silenced[] = [];
  readonly absent: ProblemList = new ProblemList(this.concealed);
  readonly files: NamedFiles;
  readonly references: References;
  readonly kept: Kept;
  /** Of API descriptions that the policy is made from. */
  readonly descriptions: SchemaLibrary[] = [];
  readonly certificates: CertificateFacts[] = [];
  readonly revocationLists: RevocationListFacts[] = [];
  service = "";
  log: LogSettings = { access: "all" };
  admin: AdminSettings = NO_ADMIN;
  memoryBytesMax: number | null = null;
  /** Absolute; null where nothing survives a restart. */
  stateDirectory: string | null = null;
  readonly waiting: Waiting;
  readonly places: Places;
  #acquisition: Acquisition | null = null;
  /** A file of `include` could not be looked at. */
  isOpen = false;
  readonly upstreams: Definitions<UpstreamSettings> = new Definitions();
  readonly refusals: Map<string, UnhealthyRefusal> = new Map();
  readonly authenticators: Definitions<Authenticator> = new Definitions();
  readonly limits: Definitions<Limit> = new Definitions();
  readonly plans: Definitions<Plan> = new Definitions();
  /** Some route, or `defaults`, goes by plans. */
  goesByPlans = false;
  bans: Bans | null = null;
  overload: Overload | null = null;
  requestIds: RequestIds | null = null;
  revocations: Revocations | null = null;
  geo: Geo | null = null;
  records: DecisionRecords | null = null;
  tracing: Tracing | null = null;
  readonly roles: Definitions<AuthorizeRule> = new Definitions();
  /** Headers of `identity`. */
  readonly identity: IdentitySetting[] = [];
  identityToken: ((at: RoutePlace) => IdentityLine) | null = null;
  /** What transaction tokens say of calls and callers. */
  readonly identityContext: IdentitySetting[] = [];
  identityKeys: IdentityKeys | null = null;
  readonly stores: Definitions<LimitStoreUse> = new Definitions();
  readonly decisionServices: Definitions<DecisionService> = new Definitions();
  readonly detectors: Definitions<Detector> = new Definitions();
  readonly listeners: ListenerSettings[] = [];
  /** Addresses of all listeners, also of those that have a problem elsewhere. */
  readonly sockets: Pick<ListenerSettings, "address" | "place">[] = [];
  readonly admitChecks: Check[] = [];
  readonly rewrites: Rewrites = new Rewrites();
  rewriteResponse: RewriteResponse = this.rewrites.response(NO_RESPONSE_RULES);
  /** Settings of `defaults` that every route compiles again, by filter. */
  readonly routeDefaults: Map<string, unknown> = new Map();
  /** Of routes that do not say it themselves. */
  isCaseSensitive = false;
  keepsInPaths = 0;
  keepsBodiesIn: readonly string[] = [];
  readonly routes: Route[] = [];
  /** What they take, where that is asked for. */
  readonly described: DescribedRoute[] = [];
  /** What `resourceMetadata` says. */
  readonly protectedResources: ResourceEntry[] = [];
  /** By path. */
  readonly ownPages: Map<string, OwnPage> = new Map();
  readonly routeUses: RouteUse[] = [];
  tree: RouteTree<Route> | null = null;
  unroutedCors: UnroutedCors | null = null;
  versionRules: VersionRules | null = null;
  versions: Versions<Route> | null = null;
  tests: readonly PolicyTest[] = [];
  /** Absolute names of the files that the policy includes. */
  included: readonly string[] = [];
  outline: PolicyOutline | null = null;
  audited: Audited | null = null;
  ladderSeed: LadderSeed;
  /** Checks before the match that are off, or asked by another. */
  readonly offChecks: LadderCheck[] = [];
  rungs: readonly Rung[] = [];
  laidSteps: readonly LaidStep[] = [];
  candidate: CandidateSettings | null = null;
  guard: GuardSettings | null = null;
  /** Name of the stage that runs. */
  stage = "";
  /** No later stage has anything to add. */
  isOver = false;
  #reader: EntryReader | null = null;

  constructor(file: string, inputs: CompileInputs, registry: Registry) {
    this.file = file;
    this.inputs = inputs;
    this.registry = registry;
    this.memory = inputs.memory ?? unlimitedMemory();
    this.turns = new Turns(inputs.clock, inputs.sliceMs ?? Number.POSITIVE_INFINITY, (ms) =>
      threadHolds.note("reload", ms, this.stage),
    );
    this.kept = inputs.kept ?? new Kept();
    this.waiting = inputs.waiting ?? new Waiting(systemTimers);
    const nobody = { clock: inputs.clock, timers: systemTimers, random: () => 0.5, memory: this.memory };
    this.places = inputs.places ?? new Places(nobody);
    this.ladderSeed = inputs.ladderSeed ?? [0x6c616464, 0x65727321];
    this.files = new NamedFiles(file, inputs.cwd ?? "", inputs.readFile);
    this.references = new References({
      env: inputs.env ?? {},
      isOffline: inputs.offline === true,
      readFile: (name, place) => {
        this.files.markSecret(name);
        return this.files.read(name, place, DEFAULTS.secretBytesMax);
      },
      include: (name, content) => this.files.include(name, content),
      problems: this.problems,
      absent: this.absent,
      concealed: this.concealed,
    });
  }

  open(document: PolicyDocument): void {
    this.#reader = new EntryReader(document, this.problems, this.references.convertible);
  }

  /**
   * Lets go of the policy's text and files. Checks live as long as their snapshot, and many a closure in them still
   * holds the context it was compiled in; the parsed policy is larger than all that is made of it.
   */
  end(): void {
    this.isOver = true;
    this.kept.settle(this.isWhole);
    this.#reader = null;
    this.files.forget();
    this.tests = [];
  }

  /** What a text of the policy stands for. */
  readonly resolveText: TextResolver = (text, place) => this.references.resolve(text, place);

  /** Nothing is wrong so far, and nothing is missing. */
  get isWhole(): boolean {
    return this.problems.isEmpty && this.absent.isEmpty;
  }

  /** None of the policy's own failed to compile, or has files that are not here. */
  get hasAllAuthenticators(): boolean {
    return this.authenticators.size === this.authenticators.defined.size;
  }

  get reader(): EntryReader {
    if (this.#reader === null) throw new Error("places can be asked for only while the policy compiles");
    return this.#reader;
  }

  problem(text: string, path: Path): void {
    this.reader.problem(text, path);
  }

  warning(rule: LintRule, text: string, path: Path | Place): void {
    this.warnings.add(rule, "file" in path ? path : this.reader.document.place(path), text);
  }

  /** Tells that a file is of no use any more: a problem, or where it is in force with the content that it has, a warning. */
  aged(text: string, name: string, path: Path): void {
    const content = this.files.read(name, path);
    if (content.ok && this.inputs.isInForce?.(content.value) === true)
      this.warning("file_aged", `${text}; it was in force and stays so`, path);
    else this.problem(text, path);
  }

  /** Content of a file that the value at `path` names; null where it cannot be read, which is told there. */
  readFile(name: string, path: Path, bytesMax: number = DEFAULTS.policyBytesMax): Buffer | null {
    return this.#contentOf(this.files.read(name, path, bytesMax), name, path);
  }

  /** The same of a file of `include`. */
  readIncluded(name: string, path: Path): Buffer | null {
    return this.#contentOf(this.files.readIncluded(name, path), name, path);
  }

  #contentOf(content: Result<Buffer, string>, name: string, path: Path): Buffer | null {
    if (content.ok) return content.value;
    if (this.inputs.offline === true && content.error === DOES_NOT_EXIST) {
      this.absent.add(this.reader.document.place(path), `'${name}' ${content.error}`);
      return null;
    }
    this.problem(`'${name}' ${content.error}; expected a file, relative to the policy`, path);
    return null;
  }

  /** The same of a folder: names of the files in it. */
  readFolder(name: string, path: Path): readonly string[] | null {
    const content = this.files.readFolder(name, path);
    if (content.ok) return content.value;
    if (this.inputs.offline === true && content.error === DOES_NOT_EXIST) {
      this.absent.add(this.reader.document.place(path), `'${name}' ${content.error}`);
      return null;
    }
    this.problem(`'${name}' ${content.error}; expected a folder, relative to the policy`, path);
    return null;
  }

  /** What this policy asks for that outlives it; the section `state` is read before any other asks. */
  get acquisition(): Acquisition {
    this.#acquisition ??= (this.inputs.resources ?? noResources(this.inputs.clock, this.memory)).begin(
      this.stateDirectory,
      this.inputs.beside,
    );
    return this.#acquisition;
  }

  secret(reference: SecretReference, path: Path): Buffer | null {
    if ("file" in reference) this.files.markSecret(reference.file);
    const content =
      "file" in reference ? this.readFile(reference.file, [...path, "file"]) : this.#variable(reference.env, path);
    if (content === null) return this.inputs.offline === true ? this.#standIn(path) : null;
    const plain = secretWithoutMark(content);
    if (!plain.ok) {
      this.problem(`the secret is ${plain.error}`, path);
      return null;
    }
    const secret = withoutLineEnd(plain.value);
    if (secret.length > 0 && secret.length <= DEFAULTS.secretBytesMax) return secret;
    this.problem(`a secret of ${secret.length} bytes; expected 1 to ${DEFAULTS.secretBytesMax}`, path);
    return null;
  }

  /** For a secret that is not at hand, so that what needs one compiles; what is wrong with it is no fault of the policy. */
  #standIn(path: Path): Buffer {
    const place = this.reader.document.place(path);
    this.problems.hush(place);
    this.warnings.hush(place);
    return Buffer.alloc(32, "x");
  }

  #described(file: string, pointer: string): DescribedSchema | null {
    for (const library of this.descriptions) {
      const reference = library.find(file, pointer);
      if (reference !== null) return { library, reference };
    }
    return null;
  }

  #variable(name: string, path: Path): Buffer | null {
    const value = this.inputs.env?.[name];
    if (value !== undefined) return Buffer.from(value);
    const text = `variable ${name} is not set`;
    if (this.inputs.offline === true) this.absent.add(this.reader.document.place(path), text);
    else this.problem(`${text}; expected the secret in it`, path);
    return null;
  }

  /** What a compile step gets to see; `resolve` leads from a path in its settings to one in the policy. */
  context(resolve: (inner: Path) => Path): CompileContext {
    return this.contextIn(this.anywhere(), resolve);
  }

  /** The same as seen from elsewhere: a copy of all that is there in one piece, for a large policy has tens of thousands. */
  contextIn<Context extends CompileContext>(context: Context, resolve: (inner: Path) => Path): Context {
    return {
      ...context,
      place: (...inner) => this.reader.document.place(resolve(inner)),
      problem: (text, ...inner) => this.problem(text, resolve(inner)),
      problemWithin: (offset, text, ...inner) =>
        this.problems.add(this.reader.document.placeWithin(resolve(inner), offset), text),
      warning: (rule, text, ...inner) => this.warning(rule, text, resolve(inner)),
      readFile: (name, ...inner) => this.readFile(name, resolve(inner)),
      readLargeFile: (name, ...inner) => this.readFile(name, resolve(inner), DEFAULTS.addressBytesMax),
      readFolder: (name, ...inner) => this.readFolder(name, resolve(inner)),
      secret: (reference, ...inner) => this.secret(reference, resolve(inner)),
    };
  }

  /** A context whose paths are those of the policy. */
  anywhere(): CompileContext {
    return {
      service: this.service,
      resourceMetadataUrl: this.protectedResources[0]?.url ?? null,
      clock: this.inputs.clock,
      isCredentialHeader: (name) => credentialFrom(this.authenticators, "header", name) !== null,
      memory: this.memory,
      ladderSeed: this.ladderSeed,
      place: (...inner) => this.reader.document.place(inner),
      shown: (text) => this.concealed.in(text),
      ownText: (text) => this.references.ownText(text),
      problem: (text, ...inner) => this.problem(text, inner),
      problemWithin: (offset, text, ...inner) =>
        this.problems.add(this.reader.document.placeWithin(inner, offset), text),
      problemAt: (place, text) => this.problems.add(place, text),
      warning: (rule, text, ...inner) => this.warning(rule, text, inner),
      warningAt: (rule, place, text) => this.warnings.add(rule, place, text),
      readFile: (name, ...inner) => this.readFile(name, inner),
      readLargeFile: (name, ...inner) => this.readFile(name, inner, DEFAULTS.addressBytesMax),
      readFolder: (name, ...inner) => this.readFolder(name, inner),
      keep: (kind, files, make) => this.kept.get(kind, files, make),
      described: (file, pointer) => this.#described(file, pointer),
      resource: (kind, settings, make) => this.acquisition.acquire(kind, settings, make),
      include: (name, content) => this.files.include(name, content),
      geo: this.geo,
      hasState: this.stateDirectory !== null,
      isOnlyLookedAt: this.inputs.resources === undefined || this.inputs.resources.neverStarts,
      waiting: this.waiting,
      proxy: environmentProxy(this.inputs.env ?? {}),
      secret: (reference, ...inner) => this.secret(reference, inner),
    };
  }
}

/** The words that curl and others read. A policy may say otherwise where it calls somebody. */
function environmentProxy(env: Readonly<Record<string, string | undefined>>): CallProxy | null {
  const url = env["HTTPS_PROXY"] ?? env["https_proxy"] ?? "";
  return url === "" ? null : { url, except: env["NO_PROXY"] ?? env["no_proxy"] ?? "" };
}
