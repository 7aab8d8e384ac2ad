import type * as z from "zod";
import type { CompileContext } from "../filters/filter.ts";
import { type Steps, stepsOf } from "../support/turns.ts";
import type { Definitions } from "./definitions.ts";
import { salvageContext } from "./salvage.ts";
import type { Work } from "./work.ts";

/** What entries of a section are made of, where all of them are of one kind. */
interface EntryKind<Settings, Compiled> {
  readonly schema: z.ZodType<Settings>;
  compile(name: string, settings: Settings, context: CompileContext): Compiled | null | Steps<Compiled | null>;
}

/** A section of named entries; one that lost a part to a fault is looked at, and never comes into force. */
export function* compileEntries<Settings, Compiled>(
  work: Work,
  section: string,
  kind: EntryKind<Settings, Compiled>,
  entries: Definitions<Compiled>,
): Steps<void> {
  for (const name of work.reader.names([section])) {
    yield;
    if (work.problems.isFull) return;
    entries.defined.add(name);
    const path = [section, name];
    const parts = work.reader.readParts(kind.schema, work.reader.raw(path), path);
    if (parts === null) continue;
    const context = salvageContext(
      work.context((inner) => [...path, ...inner]),
      parts,
    );
    const compiled = yield* stepsOf(kind.compile(name, parts.settings, context));
    if (compiled !== null && parts.lost.length === 0) entries.set(name, compiled);
  }
}
