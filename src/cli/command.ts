import { parseArgs } from "node:util";
import type { Clock } from "../support/clock.ts";
import { err, ok, type Result } from "../support/result.ts";
import { nearest } from "../support/schema.ts";
import type { Timers } from "../support/timers.ts";

/** The terminal that standard error goes to. */
export interface Terminal {
  columns(): number;
  readonly timers: Timers;
}

/** What a command may touch of the process, so that a test can run one without starting a process. */
export interface CommandIo {
  stdout(text: string): void;
  stderr(text: string): void;
  /** Absolute folder that relative file names on the command line start from. */
  readonly cwd: string;
  /** All of standard input; absent where there is none. */
  readonly stdin?: () => Buffer;
  readonly clock: Clock;
  /** Where standard error is a terminal that can show a progress. */
  readonly terminal?: Terminal;
  /** Whether standard output is coloured. */
  readonly colour?: boolean;
}

/** An option of a command: how it is read, and what help, completion and manual page say of it. */
export interface Option {
  readonly type: "boolean" | "string";
  readonly short?: string;
  readonly multiple?: boolean;
  readonly default?: boolean | string;
  /** Of a string, what its value is called, as FILE or FOLDER, or the words that it may be: `text|json`. */
  readonly value?: string;
  /** What it does, in as many lines as that takes. */
  readonly text: string;
}

export type Options = Readonly<Record<string, Option>>;

export const JSON_OPTION = { json: { type: "boolean", text: "for machines" } } as const satisfies Options;

/** One word after `postern`. Its module loads only when it is called for, so that others do not slow its start. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What may follow the name, a line per form: `[--json] FILE...`. */
  readonly usage: string;
  readonly options: Options;
  /** What else there is to say of arguments, below the options. */
  readonly notes?: string;
  /** Words that may come first after the name, as `list`. */
  readonly words?: readonly string[];
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
  const { options, notes, summary, example } = command;
  const told = [...optionLines(options), ...(notes === undefined ? [] : [notes])].join("\n");
  return `${summary}\n\n${usageLines(command)}${told === "" ? "" : `\nOptions:\n${indent(told)}`}\nExample:\n${indent(example)}`;
}

/** `-p, --policy FILE`. */
export function optionHead(name: string, { short, value }: Option): string {
  return `${short === undefined ? "" : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`;
}

/** Each option with its text beside it; those without a letter stand below the names of those that have one. */
function optionLines(options: Options): readonly string[] {
  const all = Object.entries(options);
  const room = all.some(([, { short }]) => short !== undefined) ? "    " : "";
  const heads = all.map(([name, option]) => (option.short === undefined ? room : "") + optionHead(name, option));
  const width = Math.max(...heads.map((head) => head.length).filter((length) => length <= HEAD_WIDTH_MAX)) + 2;
  return all.map(([, { text }], at) => {
    const head = heads[at] ?? "";
    const lines = text.replaceAll("\n", `\n${" ".repeat(width)}`);
    return head.length > HEAD_WIDTH_MAX ? `${head}\n${" ".repeat(width)}${lines}` : head.padEnd(width) + lines;
  });
}

/** A longer head has a line of its own. */
const HEAD_WIDTH_MAX = 30;

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
