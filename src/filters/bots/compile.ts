import { DEFAULTS } from "../../support/defaults.ts";
import type { Steps } from "../../support/turns.ts";
import { compileListFiles } from "../address-list.ts";
import { defineFilter, type RouteContext } from "../filter.ts";
import { AnomalyCheck, BotCheck, type Crawler, type DeniedWord } from "./evaluate.ts";
import { type BotSettings, botSchema } from "./schema.ts";
import { USER_AGENT_GROUPS } from "./user-agents.ts";

/** `bots`: programs that are no guests, by what they say to be. */
export const botsFilter = defineFilter<BotSettings>({
  name: "bots",
  defaults: "add",
  schema: botSchema,
  *compile(settings, context) {
    const { deny = [], except = [], anomalies, mode = 100 } = settings;
    const crawlers = yield* compileCrawlers(settings, context);
    if (crawlers === null) return;
    if (deny.length > 0 || crawlers.length > 0) {
      const rules = {
        crawlers,
        denied: deny.flatMap(wordsOf),
        deniesEmpty: deny.includes("empty"),
        except: except.map((text) => text.toLowerCase()),
      };
      context.addCheck(new BotCheck(rules, context.place(), mode));
    } else if (anomalies === undefined) {
      context.problem("nothing that could be refused; expected 'deny', 'crawlers' or 'anomalies'");
    }
    if (anomalies !== undefined) {
      context.addCheck(new AnomalyCheck(anomalies.threshold, context.place("anomalies"), anomalies.mode ?? 0));
    }
  },
});

function wordsOf(text: string): readonly DeniedWord[] {
  if (text === "empty") return [];
  for (const [group, words] of Object.entries(USER_AGENT_GROUPS)) {
    if (group === text) return words.map((word) => ({ word, list: group }));
  }
  return [{ word: text.toLowerCase(), list: text }];
}

function* compileCrawlers({ crawlers = {} }: BotSettings, context: RouteContext): Steps<readonly Crawler[] | null> {
  const compiled: Crawler[] = [];
  const names = Object.entries(crawlers);
  if (names.length > DEFAULTS.botCrawlersMax) {
    context.problem(`more than ${DEFAULTS.botCrawlersMax} crawlers`, "crawlers");
    return null;
  }
  for (const [name, { userAgents, rangesFile }] of names) {
    // Bits behind a length that were cut off would let in who is none of them.
    const options = { path: ["crawlers", name, "rangesFile"], cutsHostBits: false };
    const ranges = yield* compileListFiles(context, rangesFile, options);
    if (ranges !== null) compiled.push({ name, words: userAgents.map((text) => text.toLowerCase()), ranges });
  }
  return compiled.length === names.length ? compiled : null;
}
