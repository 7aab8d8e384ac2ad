import { setTimeout as sleep } from "node:timers/promises";
import { isatty } from "node:tty";
import { parseDurationMs } from "../support/units.ts";
import { ADMIN_OPTIONS, adminTarget, askAdmin } from "./admin-client.ts";
import { memberOf } from "./admin-list.ts";
import { type Command, type CommandIo, EXIT, misuse, type Options, parseOptions } from "./command.ts";
import { inventoryFault } from "./inventory.ts";
import { topText } from "./top-text.ts";

const OPTIONS = {
  ...ADMIN_OPTIONS,
  every: { type: "string", value: "TIME", text: "how often it asks; 2s if absent" },
  for: { type: "string", value: "TIME", text: "how long it goes on; without end if absent" },
  once: {
    type: "boolean",
    text: "one picture, with sums since the inventory began; so too where the output is no terminal",
  },
  json: { type: "boolean", text: "one line of JSON for each picture" },
} as const satisfies Options;

const EVERY_MS = 2000;
const STDOUT_FD = 1;
/** To the upper left, and nothing from there on. */
const CLEAR = "\x1b[H\x1b[J";

export const topCommand: Command = {
  name: "top",
  summary: "Shows what a running postern serves: operations, callers, and which rules let them in or not.",
  usage: "(--policy FILE | --address HOST:PORT) [--every TIME] [--for TIME] [--once] [--json]",
  options: OPTIONS,
  example: `postern top --policy policy.yaml
Exit code 0: done. 1: nobody answers, or there is no inventory. 2: used wrongly.`,
  async run(args, io) {
    const parsed = parseOptions(args, OPTIONS);
    if (!parsed.ok) return misuse(topCommand, parsed.error, io);
    const { values, positionals } = parsed.value;
    if (positionals.length > 0) return misuse(topCommand, `unexpected '${positionals[0]}'`, io);
    const everyMs = timeOf(values.every, EVERY_MS);
    const forMs = timeOf(values.for, Number.POSITIVE_INFINITY);
    if (everyMs === null || forMs === null) return misuse(topCommand, "expected a time, as in 2s or 500ms", io);
    const target = await adminTarget(values, io);
    if (!target.ok) {
      return target.error.isMisuse ? misuse(topCommand, target.error.text, io) : fail(target.error.text, io);
    }
    const { json = false } = values;
    const isTerminal = isatty(STDOUT_FD);
    const goesOn = values.once !== true && (isTerminal || json || values.for !== undefined);
    const untilMs = io.clock.monotonicMs() + forMs;
    let before: unknown = null;
    for (;;) {
      const answer = await askAdmin(target.value, "GET", "/inventory?as=live");
      if (!answer.ok) return fail(inventoryFault(answer.error), io);
      const { columns, rows } = process.stdout;
      const screen = { columns: isTerminal ? columns : null, rows: isTerminal && goesOn ? rows : null };
      const picture = json ? `${JSON.stringify(answer.value)}\n` : topText(answer.value, before, screen);
      io.stdout(isTerminal && goesOn && !json ? `${CLEAR}${picture}` : picture);
      if (!goesOn || io.clock.monotonicMs() + everyMs > untilMs) return EXIT.fine;
      before = answer.value;
      await sleep(everyMs);
      if (memberOf(before, "at") === undefined) return fail("the answer is no inventory", io);
    }
  },
};

/** Null for what is no time. */
function timeOf(text: string | undefined, otherwise: number): number | null {
  if (text === undefined) return otherwise;
  const ms = parseDurationMs(text);
  return ms.ok && ms.value >= EVERY_MS_MIN ? ms.value : null;
}

const EVERY_MS_MIN = 100;

function fail(text: string, io: CommandIo): number {
  io.stderr(`postern top: ${text}\n`);
  return EXIT.problems;
}
