#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { isatty } from "node:tty";
import { type Command, type CommandIo, EXIT, helpText } from "./cli/command.ts";
import { runCommand } from "./cli/run.ts";
import { systemClock } from "./support/clock.ts";
import { isColourful } from "./support/paint.ts";
import { nearest } from "./support/schema.ts";
import { systemTimers } from "./support/timers.ts";

/** Every command, in the order of the help. Each but `run` is loaded when it is called: `run` holds what it loads for months. */
const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map<string, () => Promise<Command>>([
  ["run", async () => runCommand],
  ["check", async () => (await import("./cli/check.ts")).checkCommand],
  ["fmt", async () => (await import("./cli/fmt.ts")).fmtCommand],
  ["audit", async () => (await import("./cli/audit.ts")).auditCommand],
  ["explain", async () => (await import("./cli/explain.ts")).explainCommand],
  ["test", async () => (await import("./cli/test.ts")).testCommand],
  ["diff", async () => (await import("./cli/diff.ts")).diffCommand],
  ["replay", async () => (await import("./cli/replay.ts")).replayCommand],
  ["learn", async () => (await import("./cli/learn.ts")).learnCommand],
  ["audit-log", async () => (await import("./cli/audit-log.ts")).auditLogCommand],
  ["import", async () => (await import("./cli/import.ts")).importCommand],
  ["init", async () => (await import("./cli/init.ts")).initCommand],
  ["hash-key", async () => (await import("./cli/hash-key.ts")).hashKeyCommand],
  ["hash-password", async () => (await import("./cli/hash-password.ts")).hashPasswordCommand],
  ["candidate", async () => (await import("./cli/candidate.ts")).candidateCommand],
  ["alarms", async () => (await import("./cli/alarms.ts")).alarmsCommand],
  ["ladder", async () => (await import("./cli/ladder.ts")).ladderCommand],
  ["quota", async () => (await import("./cli/quota.ts")).quotaCommand],
  ["bans", async () => (await import("./cli/bans.ts")).bansCommand],
  ["rollback", async () => (await import("./cli/rollback.ts")).rollbackCommand],
  ["reload", async () => (await import("./cli/reload.ts")).reloadCommand],
  ["deprecated", async () => (await import("./cli/deprecated.ts")).deprecatedCommand],
  ["inventory", async () => (await import("./cli/inventory.ts")).inventoryCommand],
  ["anomalies", async () => (await import("./cli/anomalies.ts")).anomaliesCommand],
  ["top", async () => (await import("./cli/top.ts")).topCommand],
  ["quickstart", async () => (await import("./cli/quickstart.ts")).quickstartCommand],
  ["schema", async () => (await import("./cli/schema.ts")).schemaCommand],
  ["completion", async () => (await import("./cli/completion.ts")).createCompletionCommand(allCommands)],
  ["man", async () => (await import("./cli/man.ts")).createManCommand(allCommands, about)],
]);

/** All of them, loaded. */
export function allCommands(): Promise<readonly Command[]> {
  return Promise.all([...COMMANDS.values()].map((load) => load()));
}

async function about() {
  return (await import("../package.json", { with: { type: "json" } })).default;
}

/** Arguments after `postern` → exit code. */
export async function main(args: readonly string[], io: CommandIo): Promise<number> {
  const [name, ...rest] = args;
  if (name === "--version" || name === "-v") {
    io.stdout(`postern ${(await about()).version}\n`);
    return EXIT.fine;
  }
  if (name === "--help" || name === "-h" || name === "help") return help(rest[0], io);
  if (name === undefined) {
    io.stderr(await commandList());
    return EXIT.misuse;
  }
  const load = COMMANDS.get(name);
  if (load === undefined) return unknownCommand(name, io);
  const command = await load();
  if (asksForHelp(rest)) {
    io.stdout(helpText(command));
    return EXIT.fine;
  }
  return command.run(rest, io);
}

async function help(name: string | undefined, io: CommandIo): Promise<number> {
  const load = name === undefined ? undefined : COMMANDS.get(name);
  if (name !== undefined && load === undefined) return unknownCommand(name, io);
  io.stdout(load === undefined ? await commandList() : helpText(await load()));
  return EXIT.fine;
}

function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  const options = end < 0 ? args : args.slice(0, end);
  return options.includes("--help") || options.includes("-h");
}

function unknownCommand(name: string, io: CommandIo): number {
  const known = [...COMMANDS.keys()];
  const near = nearest(name, known);
  const hint = near === undefined ? `expected one of: ${known.join(", ")}` : `did you mean '${near}'?`;
  io.stderr(`postern: unknown ${name.startsWith("-") ? "option" : "command"} '${name}'; ${hint}\n`);
  return EXIT.misuse;
}

async function commandList(): Promise<string> {
  const commands = await allCommands();
  const width = Math.max(...commands.map((command) => command.name.length));
  const lines = commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}\n`);
  return `Usage: postern COMMAND [OPTION]...\n\n${lines.join("")}\n'postern COMMAND --help' tells more, with an example.\n`;
}

/** Runs the command of this process's own line; its exit code is set. */
export async function runProcess(): Promise<void> {
  // A reader that closes the pipe early, as `head` does, is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
  process.exitCode = await main(process.argv.slice(2), {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    cwd: process.cwd(),
    stdin: () => readFileSync(0),
    clock: systemClock,
    colour: isColourful(isatty(1), process.env),
    ...(isatty(2) && process.env["TERM"] !== "dumb"
      ? { terminal: { columns: () => process.stderr.columns, timers: systemTimers } }
      : {}),
  });
}

if (import.meta.main) await runProcess();
