import { banBook, compileBan } from "../filters/bans/compile.ts";
import { type BanFacts, Bans } from "../filters/bans/evaluate.ts";
import { banSchema } from "../filters/bans/schema.ts";
import type { Steps } from "../support/turns.ts";
import { salvageContext } from "./salvage.ts";
import type { Work } from "./work.ts";

/** Section `bans`. */
export function* compileBans(work: Work): Steps<void> {
  const facts: BanFacts[] = [];
  for (const name of work.reader.names(["bans"])) {
    yield;
    if (work.problems.isFull) return;
    const path = ["bans", name];
    const parts = work.reader.readParts(banSchema, work.reader.raw(path), path);
    if (parts === null) continue;
    const context = salvageContext(
      work.context((inner) => [...path, ...inner]),
      parts,
    );
    facts.push(compileBan(name, parts.settings, context));
  }
  if (facts.length === 0) return;
  const book = yield* banBook(work.context((inner) => ["bans", ...inner]));
  if (book !== null) work.bans = new Bans(facts, book);
}
