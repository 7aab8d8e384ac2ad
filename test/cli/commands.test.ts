// Goal: every command keeps the manners of all: help with an example and exit codes, --json, nothing undeclared.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { EXIT } from "../../src/cli/command.ts";
import { manPage } from "../../src/cli/man.ts";
import { allCommands, main } from "../../src/main.ts";
import { systemClock } from "../../src/support/clock.ts";

const commands = await allCommands();

/** Commands without --json, and why. */
const WITHOUT_JSON: Readonly<Record<string, string>> = {
  run: "lives on; its log has --log-format",
  quickstart: "lives on, for a person; its log has --log-format",
  schema: "what it prints is JSON, or Markdown where that is asked for",
  completion: "what it prints is for a shell",
  man: "what it prints is for man",
};

async function postern(...args: readonly string[]) {
  const told = { out: "", err: "" };
  const code = await main(args, {
    stdout: (text) => {
      told.out += text;
    },
    stderr: (text) => {
      told.err += text;
    },
    cwd: "/",
    clock: systemClock,
  });
  return { code, ...told };
}

test("there are commands, each under its own name", () => {
  expect(commands.length).toBeGreaterThan(25);
  expect(new Set(commands.map(({ name }) => name)).size).toBe(commands.length);
});

test.each(commands.map((command) => [command.name, command] as const))("%s", async (name, command) => {
  const { usage, options, example, words, summary } = command;
  expect(summary).toMatch(/^[A-Z].*\.$/);
  expect(example).toContain(`postern ${name}`);
  expect(example).toContain("Exit code 0: ");
  // All that the usage shows is declared, and all that is declared is in the usage or stands for [OPTION]....
  const shown = new Set([...usage.matchAll(/--([a-z-]+)/g)].map((match) => match[1] ?? ""));
  expect([...shown].filter((option) => !Object.hasOwn(options, option))).toEqual([]);
  // Those that say how an admin port is found stand together.
  const isTold = (option: string): boolean =>
    shown.has(option) || option === "token-file" || usage.includes("[OPTION]...");
  expect(Object.keys(options).filter((option) => !isTold(option))).toEqual([]);
  for (const word of words ?? []) expect(usage).toMatch(new RegExp(`(?:^|\\n|\\| )${word}\\b`));
  expect(Object.hasOwn(options, "json")).toBe(!Object.hasOwn(WITHOUT_JSON, name));

  const help = await postern(name, "--help");
  expect(help.code).toBe(EXIT.fine);
  for (const option of Object.keys(options)) expect(help.out).toContain(`--${option}`);
  const wrong = await postern(name, "--nonsense");
  expect(wrong.code).toBe(EXIT.misuse);
  expect(wrong.out).toBe("");
  expect(wrong.err).toContain("Usage:");
});

test("what docs/command-line.md shows of a help is what it says", async () => {
  const page = readFileSync(resolve(import.meta.dirname, "../../docs/command-line.md"), "utf8");
  const [, command = "", shown] = /```\n\$ postern ([^\n]+)\n([\s\S]*?)```/.exec(page) ?? [];
  expect(await postern(...command.split(" "))).toEqual({ code: EXIT.fine, out: shown, err: "" });
});

test("the manual page has every command and option, and nothing that troff takes for a request", () => {
  const page = manPage(commands, { version: "1.2.3", description: "A gate." });
  for (const { name, options } of commands) {
    expect(page).toContain(`.SS ${name}\n`);
    for (const option of Object.keys(options)) expect(page).toContain(`\\-\\-${option.replaceAll("-", "\\-")}`);
  }
  const requests = new Set([...page.matchAll(/^[.'](\S*)/gm)].map((match) => match[1]));
  expect([...requests].sort()).toEqual(["B", "I", "PP", "RI", "SH", "SS", "TH", "TP", "br", "fi", "nf"]);
  expect(page).toMatch(/^[\x0a\x20-\x7e]+$/);
});
