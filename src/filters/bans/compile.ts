import { randomBytes } from "node:crypto";
import type { Steps } from "../../support/turns.ts";
import type { CompileContext } from "../filter.ts";
import { BanBook } from "./ban-book.ts";
import type { BanFacts } from "./evaluate.ts";
import type { BanSettings } from "./schema.ts";

/** One entry of `bans:` → what it counts and does. */
export function compileBan(name: string, settings: BanSettings, context: CompileContext): BanFacts {
  const { on, times, key, for: forMs, growing } = settings;
  if (key === "account" && !on.some((reason) => /^(?:password|user|api_key_(?:expired|not_yet_valid))/.test(reason))) {
    context.warning("none of these reasons tells which account was tried, so nothing is ever counted", "on");
  }
  return {
    name,
    place: context.place(),
    on: new Set(on),
    key,
    times: times.count,
    windowMs: times.windowSeconds * 1000,
    forMs,
    growing,
  };
}

/** The book of the process: the next policy that has bans takes it over. */
export function* banBook({ clock, memory, keep }: CompileContext): Steps<BanBook | null> {
  return yield* keep("bans", [], function* () {
    yield;
    const seed = randomBytes(8);
    return new BanBook([seed.readUInt32LE(0), seed.readUInt32LE(4)], clock, memory);
  });
}
