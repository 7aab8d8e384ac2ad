import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { OpenCaller } from "../calls/call.ts";
import { openCaller } from "../calls/open-caller.ts";
import { readRegularFile } from "../daemon/regular-file.ts";
import { systemGuard } from "../daemon/system-guard.ts";
import { RateTables } from "../limits/rate/rate-tables.ts";
import { unlimitedMemory } from "../memory/budget.ts";
import { type CompileInputs, type Examination, examinePolicy } from "../policy/compile.ts";
import type { Concealed } from "../policy/concealed.ts";
import type { ReadFile } from "../policy/named-files.ts";
import { noResources } from "../policy/no-resources.ts";
import type { Problem, Snapshot } from "../policy/snapshot.ts";
import { systemClock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { systemTimers } from "../support/timers.ts";
import type { CommandIo } from "./command.ts";
import { holdsManifest, policyReader } from "./policy-reader.ts";
import { probeServices } from "./probe-services.ts";
import { sliceOf } from "./progress.ts";

/**
 * A policy for a command that needs one that postern would start with, whatever has merely aged in it; null where it would
 * not, with its problems on stderr. `online`: what it depends on elsewhere can be started. With what must not be shown of it.
 */
export async function loadPolicy(
  file: string,
  io: CommandIo,
  online: boolean,
  configMap?: string,
): Promise<{ readonly snapshot: Snapshot; readonly concealed: Concealed } | null> {
  const { snapshot, problems, concealed } = await examineFile(
    file,
    io,
    online ? "startedOnline" : "started",
    configMap,
  );
  for (const problem of problems) io.stderr(problemLine(problem));
  return snapshot === null ? null : { snapshot, concealed };
}

/**
 * `offline`: see CompileInputs. `online`: what the policy depends on elsewhere can be tried. `started`: what a start takes
 * is no problem. `startedOnline`: both. `audit`: as here, and what is open is told as well; `auditOffline`: likewise.
 */
export type Scope = "here" | "audit" | "auditOffline" | "offline" | "online" | "started" | "startedOnline";

const callSystem: OpenCaller = (settings) =>
  openCaller(settings, { clock: systemClock, timers: systemTimers, random: Math.random });

const readSecret: ReadFile = (absolute) => readRegularFile(absolute, DEFAULTS.secretBytesMax);

/** All that can be said of a policy on disk; `file` may be relative to the command's folder. */
export async function examineFile(
  file: string,
  io: CommandIo,
  scope: Scope = "here",
  configMap?: string,
  read?: ReadFile,
): Promise<Examination> {
  // Secrets of a cluster are hardly ever in its manifests.
  const isManifest = holdsManifest(file, io.cwd);
  const isOffline = scope === "offline" || scope === "auditOffline";
  const offline = isOffline || ((scope === "here" || scope === "audit") && isManifest);
  const examination = await examinePolicy(file, {
    cwd: io.cwd,
    clock: io.clock,
    readFile: policyReader(configMap, read),
    offline,
    lint: lintOf(scope),
    ...(scope === "started" || scope === "startedOnline" ? { isInForce: () => true } : {}),
    // Modes in a checkout say nothing of the machine that will serve.
    guard: offline ? undefined : systemGuard(false),
    // A command judges a request or two; whose tables these are does not matter, so neither does the seed.
    rateTables: new RateTables([0, 0], io.clock, 64),
    ...sliceOf(io),
    env: process.env,
    ...(scope === "online" || scope === "startedOnline"
      ? {
          resources: noResources(io.clock, unlimitedMemory(), callSystem, readSecret),
          probing: probeServices({ clock: io.clock, timers: systemTimers }),
        }
      : {}),
  });
  const { problems, warnings } = examination;
  return {
    ...examination,
    problems: placedIn(file, problems, io.cwd),
    warnings: placedIn(file, warnings, io.cwd),
  };
}

/** What is no file here stands in the manifest, where there is one, at the lines that it has there. */
export function placedIn<One extends Problem>(file: string, found: readonly One[], cwd: string): readonly One[] {
  if (!holdsManifest(file, cwd)) return found;
  return found.map((one) =>
    existsSync(resolve(cwd, one.place.file)) ? one : { ...one, place: { ...one.place, file } },
  );
}

function lintOf(scope: Scope): CompileInputs["lint"] {
  if (scope === "audit" || scope === "auditOffline") return "audit";
  return scope === "started" || scope === "startedOnline" ? undefined : "all";
}

/** `file:line:column: text`, one line, as compilers and editors have it. */
export function problemLine({ place: { file, line, column }, text }: Problem, severity = ""): string {
  return `${file}:${line}:${column}: ${severity}${plain(text)}\n`;
}

/** Keys of a policy may hold line breaks and terminal escapes. */
export function plain(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, "\ufffd");
}
