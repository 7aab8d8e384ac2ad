import type { Reason } from "../../decision/reason.ts";
import { BanBook } from "../../limits/bans/ban-book.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { CompileContext } from "../filter.ts";
import type { BanFacts } from "./ban-facts.ts";
import { type BanKey, compileBanKey } from "./ban-key.ts";
import { BEFORE_CALLERS, BEFORE_ROUTES, GUESSES, OF_ACCOUNTS } from "./reasons.ts";
import type { BanSettings } from "./schema.ts";

export { Bans } from "./evaluate.ts";
export { banSchema } from "./schema.ts";

/** One entry of `bans:` → what it counts and does, or null with problems reported. */
export function compileBan(
  name: string,
  settings: BanSettings,
  book: BanBook,
  context: CompileContext,
): BanFacts | null {
  const { for: forMs, growing } = settings;
  const measure = measureOf(settings, context);
  if (measure === null) return null;
  const { on, times, isSuspicion } = measure;
  const guesses = on.filter((reason) => GUESSES.has(reason));
  const other = on.find((reason) => !GUESSES.has(reason));
  if (guesses[0] !== undefined && other !== undefined) {
    const text = `a ban for '${guesses[0]}' shuts out guesses alone, one for '${other}' everything of its key; expected two bans`;
    context.problem(text, "on");
    return null;
  }
  const key = compileBanKey(name, settings, context);
  if (key === null || !(isSuspicion ? isOfCallers(key, context) : isKnown(key, on, settings, context))) return null;
  if (!context.hasState && forMs > DEFAULTS.banUnkeptMsMax) {
    context.warning("state_missing", "without 'state' a restart lifts every ban", "for");
  }
  return {
    name,
    place: context.place(),
    enforcePercent: settings.mode ?? 100,
    on: new Set(on),
    isSuspicion,
    key,
    isOfGuesses: !isSuspicion && other === undefined,
    times: times.count,
    windowMs: times.windowSeconds * 1000,
    timesText: `${times.count} in ${timeText(times.windowSeconds * 1000)}`,
    forMs,
    forText: timeText(forMs),
    growing,
    table: book.share(name, key.by),
  };
}

interface Measure {
  readonly on: readonly Reason[];
  readonly times: NonNullable<BanSettings["times"]>;
  readonly isSuspicion: boolean;
}

/** Denials for some reasons, or what detectors find; null with the problem reported. */
function measureOf({ on, times, suspicion }: BanSettings, context: CompileContext): Measure | null {
  if (suspicion !== undefined && on === undefined && times === undefined) {
    return { on: [], times: suspicion, isSuspicion: true };
  }
  if (suspicion === undefined && on !== undefined && times !== undefined) return { on, times, isSuspicion: false };
  if (suspicion === undefined) {
    const [is, lacks] = on === undefined ? ["times", "on"] : ["on", "times"];
    context.problem(
      on === undefined && times === undefined
        ? "expected 'on' and 'times', or 'suspicion'"
        : `'${is}' without '${lacks}'; expected both`,
    );
  } else context.problem("'suspicion' counts what detectors find, 'on' counts denials; expected two bans", "suspicion");
  return null;
}

/** An account is known of failed logins alone, and of those nothing is searched. */
function isOfCallers(key: BanKey, context: CompileContext): boolean {
  if (key.compiled !== null) return true;
  context.problem("only a failed login tells of an account; expected 'principal' for what detectors find", "key");
  return false;
}

/** The book of the process: the next policy with the same folder, or none, has it, too. */
export function banBook(context: CompileContext): BanBook {
  return context.resource("bans", [], (world) => new BanBook(world));
}

/** Whether the key is there when a request is refused for such a reason; else nothing would ever be counted. */
function isKnown(key: BanKey, on: readonly Reason[], { absent }: BanSettings, context: CompileContext): boolean {
  if (key.compiled === null) {
    if (absent !== undefined)
      context.warning("no_effect", "an account that nobody tried is none; this is of no use", "absent");
    if (!on.every((reason) => GUESSES.has(reason))) {
      context.problem("only a failed login tells of an account; expected 'principal' for these reasons", "key");
      return false;
    }
    if (!on.some((reason) => OF_ACCOUNTS.includes(reason))) {
      context.warning(
        "no_effect",
        "none of these reasons tells which account was tried, so nothing is ever counted",
        "on",
      );
    }
    return true;
  }
  if (on.every((reason) => GUESSES.has(reason))) {
    if (key.from === "admit") return true;
    context.problem(
      "who fails to log in is nobody yet; expected client.address, account or what any request has",
      "key",
    );
    return false;
  }
  const [early, when] =
    key.from === "match" || key.from === "authenticate"
      ? [BEFORE_ROUTES, "before the route is known"]
      : [BEFORE_CALLERS, "before the caller is known"];
  if (key.from !== "admit" && on.every((reason) => early.has(reason))) {
    context.warning(
      "no_effect",
      `requests are refused for these reasons ${when}, and so are not counted by this key`,
      "key",
    );
  }
  return true;
}

function timeText(ms: number): string {
  const units = [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1_000],
  ] as const;
  const [unit, unitMs] = units.find(([, size]) => ms % size === 0) ?? ["ms", 1];
  return `${ms / unitMs}${unit}`;
}
