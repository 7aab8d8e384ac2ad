import type { Command, Option } from "./command.ts";

/** What may follow an option or stand as an argument: names of files, of folders, one of some words, or what nobody can guess. */
export type Guess = "files" | "folders" | "nothing" | readonly string[];

const FILES = new Set(["FILE", "NEW"]);
const FOLDERS = new Set(["FOLDER", "DIR"]);

/** By what the option calls its value. Null of one that has none. */
export function guessOf({ value }: Option): Guess | null {
  if (value === undefined) return null;
  if (FILES.has(value)) return "files";
  if (FOLDERS.has(value)) return "folders";
  return value.includes("|") ? value.split("|") : "nothing";
}

/** `--json` and, where there is one, `-p`. */
export function spellings(name: string, { short }: Option): readonly string[] {
  return short === undefined ? [`--${name}`] : [`-${short}`, `--${name}`];
}

export function optionsOf(command: Command): readonly (readonly [string, Option])[] {
  return [...Object.entries(command.options), ["help", { type: "boolean", text: "tells how the command is used" }]];
}

/** In single quotes, as all three shells read them. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

export function oneLine({ text }: Option): string {
  return text.replaceAll(/\s*\n\s*/g, " ");
}
