import type { Place } from "../decision/verdict.ts";
import { REGISTRY, type Registry } from "../filters/index.ts";
import { CallerShares } from "../filters/ladder.ts";
import { routeTreeSteps } from "../matching/route-tree.ts";
import { err, ok, type Result } from "../support/result.ts";
import { type Steps, stepsOf } from "../support/turns.ts";
import type { Audited } from "./audit/audited.ts";
import { compileAdmin, compileMetrics } from "./compile-admin.ts";
import { compileDefaults, DEFAULTS_KEY } from "./compile-defaults.ts";
import type { CompileInputs } from "./compile-inputs.ts";
import { checkCallerLimits, compileLimits, compileStores, prepareLimits, warnIdlePlans } from "./compile-limits.ts";
import { compileListeners } from "./compile-listeners.ts";
import { readOverload } from "./compile-overload.ts";
import { readRoles } from "./compile-roles.ts";
import { checkShadows, compileRoutes } from "./compile-routes.ts";
import {
  checkAddresses,
  compileAuthenticators,
  compileDecisionServices,
  compileDetectors,
  compileTop,
  compileUpstreams,
  warnUnused,
} from "./compile-sections.ts";
import type { Concealed } from "./concealed.ts";
import { describedPolicy } from "./describe-routes.ts";
import type { DescribedPolicy } from "./described-routes.ts";
import { parseDocument } from "./document.ts";
import { memberOf } from "./issues.ts";
import { prepareSections, sections } from "./later-sections.ts";
import type { PolicyOutline } from "./outline.ts";
import { outlinePolicy } from "./outline-policy.ts";
import type { Path } from "./path.ts";
import { prepareBans } from "./prepare-bans.ts";
import { warnOpen } from "./rungs.ts";
import { namesPart } from "./schema-names.ts";
import type { Problem, Silenced, Snapshot, Warning } from "./snapshot.ts";
import type { PolicyTest } from "./tests/policy-test.ts";
import { warnAddressLimits } from "./warn-addresses.ts";
import { warnTakenMethods } from "./warn-methods.ts";
import { warnPaths } from "./warn-paths.ts";
import { warnPermissions } from "./warn-permissions.ts";
import { warnSuccessors } from "./warn-successors.ts";
import { Work } from "./work.ts";

export type { CompileInputs } from "./compile-inputs.ts";

/** What became of a policy: a snapshot, or problems; in both cases what looks like a mistake, and the files read. */
export interface Examination {
  readonly snapshot: Snapshot | null;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Warning[];
  /** What a comment in the policy allows. */
  readonly silenced: readonly Silenced[];
  /** Where files are named that are not there, and so were not looked at; only where the inputs are `offline`. */
  readonly absent: readonly Problem[];
  /** Absolute names, the policy first, also of files that could not be read. */
  readonly files: readonly string[];
  /** Absolute names of those that section `include` names, in their order. */
  readonly included: readonly string[];
  /** Of section `tests`. */
  readonly tests: readonly PolicyTest[];
  /** What must not be shown of it. */
  readonly concealed: Concealed;
  /** Null where nobody asked for it, and where there is no text to read. */
  readonly outline: PolicyOutline | null;
  /** What an audit looks at; null where the inputs ask for none, or files of routes are not here. */
  readonly audited: Audited | null;
  /** Only where the inputs say so, and there is a snapshot. */
  readonly described: DescribedPolicy | null;
}

type SectionStages = typeof import("./sections.ts").sectionStages;
type Stage = (work: Work) => void | Promise<void> | Steps<void>;

/**
 * The stages from text to snapshot, in order; a stage's name is its function's. Those that are names alone are loaded with
 * the first policy that has their section.
 */
const STAGES: readonly (Stage | keyof SectionStages)[] = [
  parse,
  includeFiles,
  describeRoutes,
  describeMethods,
  standOnSteps,
  prepareFilters,
  compileTop,
  "readLadder",
  "readCandidate",
  "readGuard",
  "readResources",
  compileUpstreams,
  compileListeners,
  compileAdmin,
  compileMetrics,
  checkAddresses,
  compileAuthenticators,
  readRoles,
  "compileIdentity",
  compileDecisionServices,
  compileDetectors,
  compileStores,
  compileLimits,
  "compilePlans",
  checkCallerLimits,
  "compileBans",
  readOverload,
  "compileRevoked",
  "readRequestId",
  "compileGeo",
  keepRecords,
  traceRequests,
  "readVersions",
  compileDefaults,
  compileRoutes,
  checkShadows,
  shapeLog,
  "describeResources",
  "checkIdentity",
  warnTakenMethods,
  warnUnused,
  warnIdlePlans,
  warnAddressLimits,
  warnPermissions,
  buildTree,
  "buildVersions",
  keepRecords,
  warnPaths,
  warnSuccessors,
  warnOpen,
  readPolicyTests,
  outlinePolicy,
  lintPolicy,
];

/** A policy file → snapshot, or every problem of it in the order of its lines. Never throws. */
export async function compilePolicy(
  file: string,
  inputs: CompileInputs,
  registry: Registry = REGISTRY,
): Promise<Result<Snapshot, readonly Problem[]>> {
  const { snapshot, problems } = await examinePolicy(file, inputs, registry);
  return snapshot === null ? err(problems) : ok(snapshot);
}

/** The same with all that is known besides, for `check`. */
export async function examinePolicy(
  file: string,
  inputs: CompileInputs,
  registry: Registry = REGISTRY,
): Promise<Examination> {
  const work = new Work(file, inputs, registry);
  for (const stage of STAGES) {
    work.stage = typeof stage === "string" ? stage : stage.name;
    const run = typeof stage === "string" ? sectionStage(stage) : stage;
    if (run !== null && !work.isOver) await runStage(work, run);
    if (work.turns.due) await work.turns.give();
  }
  const examination = {
    snapshot: work.isWhole ? freeze(work) : null,
    problems: work.problems.sorted(file),
    warnings: work.warnings.sorted(file),
    silenced: work.silenced,
    absent: work.absent.sorted(file),
    files: work.files.names(),
    included: work.included,
    tests: work.tests,
    concealed: work.concealed,
    outline: work.outline,
    audited: work.audited,
    described: describedPolicy(work),
  };
  work.end();
  return examination;
}

function sectionStage(name: keyof SectionStages): Stage | null {
  return sections.isLoaded ? sections.get().sectionStages[name] : null;
}

/** A fault of ours in a stage is a problem of the policy too: a reload that throws would end the process. */
async function runStage(work: Work, stage: Stage): Promise<void> {
  try {
    const done = stage(work);
    if (done instanceof Promise) {
      await done;
      work.turns.restart();
    } else await work.turns.run(stepsOf(done));
  } catch (error) {
    // Without the error's message, which may quote a file that the policy names.
    const kind = error instanceof Error ? error.name : typeof error;
    work.problems.add(topOf(work), `stage '${work.stage}' failed: ${kind}`);
    work.isOver = true;
  }
}

/** Sets the work's reader, or ends the work: without a mapping at the top there is nothing more to say. */
function* parse(work: Work): Steps<void> {
  work.isOver = true;
  const bytes = work.files.readPolicy();
  if (!bytes.ok) {
    work.problems.add(topOf(work), `the policy ${bytes.error}`);
    return;
  }
  const report = ({ place, text }: Problem): void => work.problems.add(place, text);
  const document = yield* parseDocument(work.file, bytes.value, report, undefined, work.resolveText);
  if (document === null) return;
  work.open(document);
  work.isOver = work.reader.keys([]) === null;
}

/** Section `include`, before anything else looks at what the policy says. */
async function includeFiles(work: Work): Promise<void> {
  if (work.reader.raw(["include"]) === undefined) return;
  const { joinIncluded } = await import("./include.ts");
  work.turns.restart();
  await work.turns.run(joinIncluded(work));
}

/** Section `openapi`, before anything else looks at routes: its operations are some. */
async function describeRoutes(work: Work): Promise<void> {
  if (work.reader.raw(["openapi"]) === undefined && !(await work.turns.run(namesPart(work.reader)))) return;
  const { compileOpenapi } = await import("./openapi/stage.ts");
  work.turns.restart();
  await work.turns.run(compileOpenapi(work));
}

/** Section `grpc`, likewise. */
async function describeMethods(work: Work): Promise<void> {
  if (work.reader.raw(["grpc"]) === undefined) return;
  const { compileGrpcSection } = await import("./grpc/stage.ts");
  work.turns.restart();
  await work.turns.run(compileGrpcSection(work));
}

/** Before anything looks at a check: what stands on another step than the policy says. */
async function standOnSteps(work: Work): Promise<void> {
  const { steps = [] } = work.inputs;
  if (steps.length === 0) return;
  const { laySteps } = await import("./lay-steps.ts");
  work.turns.restart();
  await work.turns.run(laySteps(work, steps));
}

/** Sections `decisions`, `record`, `inventory` and `anomalies`, and `log.audit`: what is kept of requests, where somebody can ask for it or has it written. */
async function keepRecords(work: Work): Promise<void> {
  const has = (...path: Path): boolean => work.reader.raw(path) !== undefined;
  const hasInventory = has("inventory");
  const hasAnomalies = has("anomalies");
  const isKept = has("decisions") || has("record") || has("log", "audit") || hasInventory || hasAnomalies;
  if (work.admin.address === null && !isKept) return;
  const { compileRecords } = await import("./compile-records.ts");
  const inventory = hasInventory ? (await import("./compile-inventory.ts")).compileInventory(work) : null;
  const anomalies = hasAnomalies ? (await import("./compile-anomalies.ts")).compileAnomalies(work) : null;
  work.turns.restart();
  await work.turns.run(compileRecords(work, inventory, anomalies));
}

/** Section `log`, where it says more than which requests have a line. */
async function shapeLog(work: Work): Promise<void> {
  const log = work.reader.raw(["log"]);
  if (typeof log !== "object" || log === null || Object.keys(log).every((key) => key === "access" || key === "audit"))
    return;
  const { compileLog } = await import("./compile-log.ts");
  work.turns.restart();
  compileLog(work);
}

/** Section `tracing`. */
async function traceRequests(work: Work): Promise<void> {
  if (work.reader.raw(["tracing"]) === undefined) return;
  const { compileTracing } = await import("./compile-tracing.ts");
  work.turns.restart();
  compileTracing(work);
}

/** Section `tests`: their form. Who runs them compiles once more, with counters and a clock of their own. */
async function readPolicyTests(work: Work): Promise<void> {
  if (work.reader.raw(["tests"]) === undefined && work.reader.raw(["fixtures"]) === undefined) return;
  const { readTests } = await import("./tests/read.ts");
  work.turns.restart();
  work.tests = await work.turns.run(
    readTests(work.reader, {
      problems: work.problems,
      references: work.references,
      concealed: work.concealed,
      read: (name, path) => work.files.read(name, path),
    }),
  );
}

/** What is asked for whole policies, where somebody wants to know; what comments allow is not told in any case. */
async function lintPolicy(work: Work): Promise<void> {
  if (work.inputs.lint === undefined && work.files.containing("postern: allow").next().done === true) return;
  const { lint } = await import("./lint/stage.ts");
  work.turns.restart();
  await work.turns.run(lint(work));
}

/** Loads what only the filters of this policy need. */
async function prepareFilters(work: Work): Promise<void> {
  const { reader, registry, turns } = work;
  const routes = reader.raw(["routes"]);
  const users: readonly unknown[] = [reader.raw([DEFAULTS_KEY]), ...(Array.isArray(routes) ? routes : [])];
  const types = new Set(reader.names(["authenticators"]).map((name) => reader.raw(["authenticators", name, "type"])));
  for (const { type, prepare } of registry.authenticators) if (types.has(type)) await prepare?.();
  await prepareLimits(work);
  await prepareSections(work);
  await prepareBans(work);
  turns.restart();
  for (const { name, prepare, section } of registry.filters) {
    if (prepare === undefined) continue;
    const isSection = section !== undefined;
    for (let at = 0; at < users.length + (isSection ? 1 : 0); at++) {
      if (turns.due) await turns.give();
      const settings = at < users.length ? memberOf(users[at], name) : reader.raw([section ?? name]);
      const loading = settings === undefined ? undefined : prepare(settings);
      if (loading === undefined) continue;
      await loading;
      turns.restart();
    }
  }
  for (const { name, parts = {} } of registry.filters) {
    for (const [key, load] of Object.entries(parts)) {
      if (users.some((user) => memberOf(memberOf(user, name), key) !== undefined)) await load();
      if (turns.due) await turns.give();
    }
  }
}

function topOf(work: Work): Place {
  return { file: work.file, line: 1, column: 1, path: "" };
}

function* buildTree(work: Work): Steps<void> {
  if (!work.isWhole) return;
  work.tree = yield* routeTreeSteps(work.routes);
  for (const { cors } of work.routes) {
    if (cors === null) continue;
    work.unroutedCors ??= cors.unrouted();
    work.unroutedCors.add(cors);
    yield;
  }
}

/** The parts of the work that outlive it. */
function freeze(work: Work): Snapshot | null {
  if (work.tree === null) return null;
  return Object.freeze({
    hash: work.files.hash(),
    service: work.service,
    listeners: Object.freeze(work.listeners),
    upstreams: new Map(work.upstreams),
    admin: work.admin,
    memoryBytesMax: work.memoryBytesMax,
    identityKeys: work.identityKeys,
    resources: new Map(work.acquisition.resources),
    log: work.log,
    authenticators: new Map(work.authenticators),
    limits: [...work.limits.values()],
    detectors: [...work.detectors.values()],
    bans: work.bans,
    overload: work.overload,
    requestIds: work.requestIds,
    geo: work.geo,
    records: work.records,
    tracing: work.tracing,
    admitChecks: Object.freeze(work.admitChecks),
    ownPages: work.ownPages,
    unroutedCors: work.unroutedCors,
    routes: work.tree,
    versions: work.versions,
    keepsInPaths: work.routes.reduce((kinds, route) => kinds | route.keepsInPaths, 0),
    rewriteResponse: work.rewriteResponse,
    routeList: Object.freeze(work.routes),
    routesPlace: work.reader.document.place(["routes"]),
    certificates: Object.freeze(work.certificates),
    revocationLists: Object.freeze(work.revocationLists),
    files: Object.freeze(work.files.names()),
    secretFiles: work.files.secrets(),
    warnings: Object.freeze(work.warnings.sorted(work.file)),
    hasTests: work.tests.length > 0,
    outline: work.outline,
    shares: new CallerShares(work.ladderSeed),
    rungs: Object.freeze(work.rungs),
    steps: work.laidSteps,
    candidate: work.candidate,
    guard: work.guard,
    refusals: work.refusals.size === 0 ? null : work.refusals,
  });
}
