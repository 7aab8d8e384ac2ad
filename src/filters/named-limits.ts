import type { CallerFacts } from "./caller-schema.ts";
import type { SecretFileProblem } from "./secret-file.ts";

/** A limit or plan of the policy that a file of callers names; `text` is its name. */
export interface NamedAt extends SecretFileProblem {
  readonly section: "limits" | "plans";
}

/** Adds what a caller or its credential names to `named`, each once, with where the file does first. */
export function noteNames(
  one: Pick<CallerFacts, "limit" | "plan"> | undefined,
  named: Map<string, NamedAt>,
  placeOf: (key: "limit" | "plan") => Omit<SecretFileProblem, "text">,
): void {
  note("limits", one?.limit, "limit");
  note("plans", one?.plan, "plan");

  function note(section: NamedAt["section"], name: string | undefined, key: "limit" | "plan"): void {
    const known = `${section} ${name}`;
    if (name === undefined || named.has(known)) return;
    named.set(known, { ...placeOf(key), text: name, section });
  }
}
