import { resolve } from "node:path";
import { type Daemon, type DaemonDeps, startDaemon } from "../daemon/daemon.ts";
import { followSignals } from "../daemon/shutdown.ts";
import { stateFiles } from "../daemon/state-files.ts";
import { systemGuard } from "../daemon/system-guard.ts";
import { StateFolder } from "../resources/state-folder.ts";
import { createEventLog } from "../telemetry/event-log.ts";
import { LogOutput } from "../telemetry/log-output.ts";
import type { LogSink } from "../telemetry/log-sink.ts";
import { assembleDaemon } from "./assemble.ts";
import { type Command, type CommandIo, EXIT, misuse, type Options, parseOptions } from "./command.ts";
import { inheritedSockets } from "./inherited-sockets.ts";
import { problemLine } from "./load-policy.ts";
import { LOG_FORMAT_OPTION, openLog } from "./log-format.ts";

const OPTIONS = {
  policy: { type: "string", short: "p", value: "FILE", text: "the policy to enforce; saving it takes effect at once" },
  "keep-policy": {
    type: "string",
    value: "FOLDER",
    text: "keeps the last good policy there, without keys and secrets: a start that finds a broken one takes it",
  },
  ...LOG_FORMAT_OPTION,
} as const satisfies Options;

export const runCommand: Command = {
  name: "run",
  summary: "Stands before a service and enforces a policy.",
  usage: "--policy FILE [--keep-policy FOLDER] [--log-format FORMAT]",
  options: OPTIONS,
  example: `postern run --policy /etc/postern/policy.yaml
Exit code 0: ended by a signal. 1: the policy has problems, or an address is in use. 2: used wrongly.`,
  run: async (args, io) => {
    const options = parseOptions(args, OPTIONS);
    if (!options.ok) return misuse(runCommand, options.error, io);
    const { values, positionals } = options.value;
    if (values.policy === undefined) return misuse(runCommand, "--policy is missing", io);
    if (positionals.length > 0) return misuse(runCommand, `unexpected argument '${positionals[0]}'`, io);
    const sink = openLog(values["log-format"]);
    if (sink === null) return misuse(runCommand, "expected --log-format auto, text or json", io);
    const kept = values["keep-policy"];
    return serve(resolve(io.cwd, values.policy), kept === undefined ? null : resolve(io.cwd, kept), io, sink);
  },
};

/** Runs until a signal ends it; the exit code. */
async function serve(policyFile: string, kept: string | null, io: CommandIo, sink: LogSink): Promise<number> {
  endOnDefects(io, sink);
  const signalled = new Signalled(sink);
  const started = await start(policyFile, kept, io, sink);
  if (!started.ok) {
    for (const problem of started.error) io.stderr(problemLine(problem));
    return EXIT.problems;
  }
  await signalled.end(started.value);
  return EXIT.fine;
}

function start(
  policyFile: string,
  kept: string | null,
  { clock }: CommandIo,
  sink: LogSink,
): ReturnType<typeof startDaemon> {
  const openKept: DaemonDeps["keptFolder"] =
    kept === null ? undefined : (warn) => new StateFolder(kept, stateFiles(kept, process.geteuid?.() ?? null), warn);
  return startDaemon(
    // The system's monotonic clock counts from the start of the process, so 0 is when it began.
    { policyFile, inheritedSockets: inheritedSockets(process.env, process.pid), startedMs: 0, awaitsWriter: true },
    { ...assembleDaemon(clock, sink, systemGuard(true)), keptFolder: openKept },
  );
}

/** Signals, heard from before the first port opens: a process that is told to end while it starts ends in order too. */
class Signalled {
  #daemon: Daemon | null = null;
  #end: () => void = () => {};
  readonly #asked: Promise<void>;

  constructor(sink: LogSink) {
    this.#asked = new Promise((resolve) => {
      this.#end = resolve;
    });
    followSignals(process, {
      shutdown: () => this.#end(),
      abort: () => {
        sink.flushSync();
        process.exit(EXIT.problems);
      },
      reload: () => this.#daemon?.reload(),
      reopenLog: () => this.#daemon?.reopenLog(),
    });
  }

  /** Waits for the signal to end, and resolves when the daemon has ended. */
  async end(daemon: Daemon): Promise<void> {
    this.#daemon = daemon;
    await this.#asked;
    await daemon.shutdown();
  }
}

/**
 * An exception that nobody caught leaves a state that nobody knows, and a gate in an unknown state must not stay open:
 * say what happened, end, and let the supervisor start anew.
 */
function endOnDefects(io: CommandIo, sink: LogSink): void {
  const log = createEventLog(io.clock, new LogOutput(sink));
  const end = (defect: unknown): void => {
    const text = defect instanceof Error ? (defect.stack ?? defect.message) : String(defect);
    log.error("crash", "postern ends because of a defect", { error: text });
    sink.flushSync();
    process.exit(EXIT.problems);
  };
  process.on("uncaughtException", end);
  process.on("unhandledRejection", end);
}
