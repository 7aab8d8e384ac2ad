import { resolve } from "node:path";
import { REGISTRY, type Registry } from "../../src/filters/index.ts";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { type Examination, examinePolicy } from "../../src/policy/compile.ts";
import type { FileGuard } from "../../src/policy/file-guard.ts";
import type { LadderStep } from "../../src/policy/ladder-step.ts";
import type { ReadFile } from "../../src/policy/named-files.ts";
import type { Route, Snapshot } from "../../src/policy/snapshot.ts";
import type { Clock } from "../../src/support/clock.ts";
import { err, ok } from "../../src/support/result.ts";

export const NOW_MS: number = Date.parse("2026-12-01T00:00:00Z");

export const fixedClock: Clock = { monotonicMs: () => 1000, wallMs: () => NOW_MS };

export type Files = Readonly<Record<string, string | Buffer>>;

/** Examines a policy from memory: it is `conf/policy.yaml`, the other files stand under their names beside it. */
export function examine(
  policy: string | Buffer,
  files: Files = {},
  clock: Clock = fixedClock,
  registry: Registry = REGISTRY,
  guard?: FileGuard,
  isInForce?: (content: Buffer) => boolean,
): Promise<Examination> {
  return examinePolicy(
    "conf/policy.yaml",
    {
      cwd: "/srv",
      clock,
      guard,
      isInForce,
      rateTables: new RateTables([1, 2], clock, 64),
      readFile: readerOf(policy, files),
    },
    registry,
  );
}

/** Reads from memory: the policy is `/srv/conf/policy.yaml`. */
export function readerOf(policy: string | Buffer, files: Files): ReadFile {
  const contents = new Map<string, Buffer>([["/srv/conf/policy.yaml", Buffer.from(policy)]]);
  for (const [name, content] of Object.entries(files)) {
    contents.set(resolve("/srv/conf", name), Buffer.from(content));
  }
  return (absolute) => {
    const content = absolute.endsWith("/") ? listOf(contents, absolute) : contents.get(absolute);
    return content === undefined ? err("does not exist") : ok(content);
  };
}

/** A folder: the names of the files in it, a line each. */
function listOf(contents: ReadonlyMap<string, Buffer>, folder: string): Buffer | undefined {
  const names = [...contents.keys()].filter((name) => name.startsWith(folder)).map((name) => name.slice(folder.length));
  const files = names.filter((name) => !name.includes("/")).sort();
  return names.length === 0 ? undefined : Buffer.from(files.join("\n"));
}

/** Problems as `line:column text`; those of other files begin with the file's name. */
export async function problemsOf(policy: string | Buffer, files: Files = {}): Promise<readonly string[]> {
  return (await examine(policy, files)).problems.map(shown);
}

export async function warningsOf(policy: string, files: Files = {}): Promise<readonly string[]> {
  return (await examine(policy, files)).warnings.map(shown);
}

function shown({ place, text }: Examination["problems"][number]): string {
  const file = place.file === "conf/policy.yaml" ? "" : `${place.file}:`;
  return `${file}${place.line}:${place.column} ${text}`;
}

export async function snapshotOf(policy: string, files: Files = {}): Promise<Snapshot> {
  const { snapshot, problems } = await examine(policy, files);
  if (snapshot === null) throw new Error(problems.map(shown).join("\n"));
  return snapshot;
}

export function routeOf(snapshot: Snapshot, template: string): Route {
  const route = snapshot.routeList.find((one) => one.template === template);
  if (route === undefined) throw new Error(`no route ${template}`);
  return route;
}

/** A policy whose first five lines are sound; what a test is about begins at line 6. */
export function policyWith(
  rest: string,
  head: { readonly listener?: string; readonly upstream?: string } = {},
): string {
  const listener = head.listener ?? "{ name: inbound, address: 127.0.0.1:8080 }";
  const upstream = head.upstream ?? "http://127.0.0.1:3000";
  return [
    "version: 1",
    "service: orders",
    `listeners: [${listener}]`,
    `upstreams: { app: { address: '${upstream}' } }`,
    "",
    rest.replace(/^\n/, ""),
  ].join("\n");
}

export const PUBLIC_ROUTE = "routes: [{ path: /, public: true }]";

/** The same with steps of the ladder that are not the policy's own. */
export async function snapshotOnSteps(policy: string, files: Files, steps: readonly LadderStep[]): Promise<Snapshot> {
  const { snapshot, problems } = await examinePolicy("conf/policy.yaml", {
    cwd: "/srv",
    clock: fixedClock,
    rateTables: new RateTables([1, 2], fixedClock, 64),
    readFile: readerOf(policy, files),
    steps,
  });
  if (snapshot === null) throw new Error(problems.map(shown).join("\n"));
  return snapshot;
}
