import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import type { Clock } from "../support/clock.ts";
import { err, ok, type Result } from "../support/result.ts";
import { nearest } from "../support/schema.ts";

/** What a command may touch of the process, so that a test can run one without starting a process. */
export interface CommandIo {
  stdout(text: string): void;
  stderr(text: string): void;
  /** Absolute folder that relative file names on the command line start from. */
  readonly cwd: string;
  /** All of standard input; absent where there is none. */
  readonly stdin?: () => Buffer;
  readonly clock: Clock;
}

/** One word after `postern`. Its module loads only when it is called for, so that others do not slow its start. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What may follow the name, a line per form: `[--json] FILE...`. */
  readonly usage: string;
  /** A line per option with what it does, where the usage alone does not tell. */
  readonly options?: string;
  /** A command line that works, with what it does. */
  readonly example: string;
  /** Gives the exit code, one of `EXIT`. */
  run(args: readonly string[], io: CommandIo): Promise<number>;
}

export const EXIT = {
  fine: 0,
  /** The command did its work and found something wrong. */
  problems: 1,
  /** The command line makes no sense. */
  misuse: 2,
} as const;

type Options = ParseArgsOptionsConfig;
type Parsed<O extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: O; allowPositionals: true; strict: true }>
>;

/** `parseArgs` of node:util with errors as values: the text names the nearest option that exists. */
export function parseOptions<O extends Options>(args: readonly string[], options: O): Result<Parsed<O>, string> {
  try {
    return ok(parseArgs({ args: [...args], options, allowPositionals: true, strict: true }));
  } catch (error) {
    return err(optionFault(args, Object.keys(options), error instanceof Error ? error.message : String(error)));
  }
}

function optionFault(args: readonly string[], known: readonly string[], message: string): string {
  const end = args.indexOf("--");
  for (const arg of end < 0 ? args : args.slice(0, end)) {
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (name === undefined || known.includes(name)) continue;
    const near = nearest(name, known);
    return `unknown option '--${name}'${near === undefined ? "" : `; did you mean '--${near}'?`}`;
  }
  // Node's own text goes on with advice about '--' after its first sentence.
  return message.split(". ")[0] ?? message;
}

/** Says on stderr how the command is used; the exit code for it. */
export function misuse(command: Command, text: string, io: CommandIo): number {
  io.stderr(`postern ${command.name}: ${text}\n${usageLines(command)}`);
  return EXIT.misuse;
}

/** The whole help of one command. */
export function helpText(command: Command): string {
  const options = command.options === undefined ? "" : `\nOptions:\n${indent(command.options)}`;
  return `${command.summary}\n\n${usageLines(command)}${options}\nExample:\n${indent(command.example)}`;
}

function usageLines(command: Command): string {
  const forms = command.usage.split("\n").map((form) => `postern ${command.name} ${form}`.trimEnd());
  return `Usage:\n${indent(forms.join("\n"))}`;
}

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => `  ${line}\n`)
    .join("");
}
