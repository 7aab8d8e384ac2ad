import { CONTINUE } from "../decision/verdict.ts";
import type { BanFacts } from "../filters/bans/ban-facts.ts";
import type { Check } from "../filters/filter.ts";
import { OFF } from "../filters/ladder.ts";
import type { BanBook } from "../limits/bans/ban-book.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Steps } from "../support/turns.ts";
import { salvageContext } from "./salvage.ts";
import type { Work } from "./work.ts";

/** Section `bans`. Checks of those whose key any request has come first of all. */
export function* compileBans(work: Work): Steps<void> {
  const { reader, registry } = work;
  const names = reader.names(["bans"]);
  if (names.length === 0) return;
  if (names.length > DEFAULTS.banRulesMax) work.problem(`expected at most ${DEFAULTS.banRulesMax} bans`, ["bans"]);
  const kind = registry.bans;
  const book = kind.book(work.context((inner) => ["bans", ...inner]));
  const facts: BanFacts[] = [];
  for (const name of names.slice(0, DEFAULTS.banRulesMax)) {
    yield;
    if (work.problems.isFull) return;
    const path = ["bans", name];
    const parts = reader.readParts(kind.schema, reader.raw(path), path);
    if (parts === null) continue;
    const context = salvageContext(
      work.context((inner) => [...path, ...inner]),
      parts,
    );
    const compiled = kind.compile(name, parts.settings, book, context);
    if (compiled === null || parts.lost.length > 0) continue;
    const { place, enforcePercent, isOfGuesses, isSuspicion } = compiled;
    if (isSuspicion && reader.names(["detectors"]).length === 0) {
      context.warning("no_effect", "the policy has no 'detectors', so nothing is ever suspected", "suspicion");
    }
    // Those of guesses are asked by 'authenticate'.
    if (enforcePercent === OFF || isOfGuesses) work.offChecks.push({ name: "ban", place, enforcePercent });
    if (enforcePercent !== OFF) facts.push(compiled);
  }
  if (facts.length === 0) return;
  work.bans = kind.join(facts, book);
  if (work.stateDirectory !== null) work.admitChecks.push(untilRead(work, book));
  work.admitChecks.push(...work.bans.admitChecks());
}

/** After a start, requests wait until the bans from before have been read. */
function untilRead({ waiting, reader }: Work, book: BanBook): Check {
  return {
    name: "bans",
    phase: "admit",
    place: reader.document.place(["bans"]),
    enforcePercent: 100,
    once: true,
    looksBackMs: 0,
    evaluate: (exchange) =>
      book.loading === null
        ? CONTINUE
        : waiting.until(exchange, book.loading, 2 * DEFAULTS.banLoadMs).then(() => CONTINUE),
    explain: () => "bans outlive a restart in the state folder",
  };
}
