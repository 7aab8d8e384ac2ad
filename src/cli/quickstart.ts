import { dirname, join, resolve } from "node:path";
import { type Daemon, startDaemon } from "../daemon/daemon.ts";
import { problemText } from "../daemon/reload.ts";
import { systemGuard } from "../daemon/system-guard.ts";
import type { Snapshot } from "../policy/snapshot.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { LogSink } from "../telemetry/log-sink.ts";
import { assembleDaemon } from "./assemble.ts";
import { type Command, type CommandIo, EXIT, misuse, type Options, parseOptions } from "./command.ts";
import { LOG_FORMAT_OPTION, openLog } from "./log-format.ts";
import { writeQuickstartFiles } from "./quickstart-files.ts";
import { renderGuide } from "./quickstart-guide.ts";
import { type SampleService, startSampleService } from "./sample-service.ts";
import { claimFolder } from "./throwaway-folder.ts";
import { typedName } from "./typed-name.ts";

const POLICY = "policies/quickstart.yaml";
const CHECKOUT = join(import.meta.dirname, "../..");
/** Beside the policy, because the names in a policy are relative to it; git ignores it. */
const FOLDER = ".postern";

const OPTIONS = {
  policy: { type: "string", value: "FILE", text: "another policy than that of the checkout" },
  ...LOG_FORMAT_OPTION,
} as const satisfies Options;

export const quickstartCommand: Command = {
  name: "quickstart",
  summary: "Starts postern to try it: a sample service, postern before it, and commands to paste.",
  usage: "[--policy FILE] [--log-format FORMAT]",
  options: OPTIONS,
  example: `postern quickstart     runs ${POLICY} of the checkout; 'npm start' does the same
Exit code 0: ended by a signal. 1: it cannot start. 2: used wrongly.`,
  run: quickstart,
};

async function quickstart(args: readonly string[], io: CommandIo): Promise<number> {
  const parsed = parseOptions(args, OPTIONS);
  if (!parsed.ok) return misuse(quickstartCommand, parsed.error, io);
  const { values, positionals } = parsed.value;
  if (positionals.length > 0) return misuse(quickstartCommand, `unexpected '${positionals[0]}'`, io);
  const log = openLog(values["log-format"]);
  if (log === null) return misuse(quickstartCommand, "expected --log-format auto, text or json", io);
  const policyFile = values.policy === undefined ? join(CHECKOUT, POLICY) : resolve(io.cwd, values.policy);
  const folder = join(dirname(policyFile), FOLDER);

  const claim = claimFolder(folder, process.pid);
  if (!claim.ok) return fail(claim.error, io);
  // Also where the process ends in some other way than below.
  process.once("exit", claim.value);
  try {
    await writeQuickstartFiles(folder, io.clock.wallMs());
    const stage = await startStage(policyFile, log, io);
    if (!stage.ok) return fail(stage.error, io);
    // Before the guide is out: who ends it at once must not leave the keys behind.
    const asked = untilAsked(stage.value);
    const isTerminal = process.stdin.isTTY && process.stdout.isTTY;
    const facts = { policyFile: typedName(io.cwd, policyFile), folder: typedName(io.cwd, folder), isTerminal };
    const guide = renderGuide({ ...urls(stage.value.daemon), ...facts });
    io.stdout(guide);
    // Lines of the log push it out of sight.
    if (isTerminal) process.stdin.on("data", () => io.stdout(guide));
    await asked;
    process.stdin.pause();
    return EXIT.fine;
  } finally {
    process.off("exit", claim.value);
    claim.value();
  }
}

function fail(text: string, io: CommandIo): number {
  io.stderr(`postern quickstart: ${text}\n`);
  return EXIT.problems;
}

interface Stage {
  readonly daemon: Daemon;
  readonly service: SampleService;
}

/** Starts postern and then, where the policy says the service is, the service. */
async function startStage(policyFile: string, log: LogSink, io: CommandIo): Promise<Result<Stage, string>> {
  const deps = assembleDaemon(io.clock, log, systemGuard(false));
  let snapshot: Snapshot | null = null;
  const daemon = await startDaemon(
    { policyFile },
    {
      ...deps,
      createProxy: (first, telemetry) => {
        snapshot = first;
        return deps.createProxy(first, telemetry);
      },
    },
  );
  if (!daemon.ok) return err(daemon.error.map(problemText).join("\n"));
  const service = await startService(snapshot);
  if (service.ok) return ok({ daemon: daemon.value, service: service.value });
  await daemon.value.close();
  return service;
}

async function startService(snapshot: Snapshot | null): Promise<Result<SampleService, string>> {
  const address = snapshot?.upstreams.values().next().value?.address;
  if (address?.type !== "tcp") return err("expected the policy's first upstream to be http://127.0.0.1:PORT");
  try {
    return ok(await startSampleService(address.port));
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return err(
      `the sample service cannot listen on 127.0.0.1:${address.port}: ${text}\n` +
        "The ports are those of the policy; take a copy with others: npm start -- --policy policies/copy.yaml",
    );
  }
}

/** localhost, for that is the name in the certificate. */
function urls(daemon: Daemon): { readonly httpsUrl: string; readonly adminUrl: string | null } {
  const port = daemon.status.listeners[0]?.address.split(":").at(-1);
  return {
    httpsUrl: `https://localhost:${port}`,
    adminUrl: daemon.adminAddress === null ? null : `http://${daemon.adminAddress}`,
  };
}

/**
 * Resolves when a signal has ended everything. There is nothing worth draining, and a second signal is the same wish:
 * Ctrl-C under npm arrives from the terminal and once more from npm.
 */
function untilAsked({ daemon, service }: Stage): Promise<void> {
  return new Promise((resolve) => {
    let ending = false;
    const end = (): void => {
      if (ending) return;
      ending = true;
      void Promise.all([daemon.close(), service.close()]).then(() => resolve());
    };
    process.on("SIGINT", end);
    process.on("SIGTERM", end);
    process.on("SIGHUP", () => daemon.reload());
  });
}
