import { memberNames } from "../../bodies/json-parser.ts";
import { foldCase } from "../../support/fold-case.ts";
import type { Site } from "../document.ts";
import { inPlaceParts, type Subschema } from "../subschema.ts";
import type { Complaint } from "./faults.ts";
import type { Check, Run } from "./run.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/** What schemas that judge one object say of its members' names. */
export class DeclaredMembers {
  readonly #names = new Set<string>();
  readonly #folded = new Map<string, { readonly name: string; readonly site: Site | null }>();

  /** Of a schema and all that it applies to the same value. */
  constructor(schema: Subschema) {
    const pending = [schema];
    const seen = new Set(pending);
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      this.#addOwn(next);
      for (const part of inPlaceParts(next)) {
        if (seen.has(part)) continue;
        seen.add(part);
        pending.push(part);
      }
    }
  }

  get isEmpty(): boolean {
    return this.#names.size === 0;
  }

  /** Whether no schema knows the name, and a decoder would still take it for one that is known: what to say then. */
  respelled(name: string): Complaint | null {
    if (this.#names.has(name)) return null;
    const meant = this.#folded.get(foldCase(name));
    if (meant === undefined) return null;
    return { keyword: "memberCase", detail: `some services read this member as '${meant.name}'`, site: meant.site };
  }

  #addOwn({ object, dependentSchemas }: Subschema): void {
    for (const { name } of dependentSchemas) this.#add(name, null);
    if (object === null) return;
    for (const name of object.properties.keys()) this.#add(name, object.propertiesSite);
    for (const { value, site } of object.required) this.#add(value, site);
    for (const { name, needs, site } of object.dependentRequired)
      for (const one of [name, ...needs]) this.#add(one, site);
  }

  #add(name: string, site: Site | null): void {
    if (this.#names.has(name)) return;
    this.#names.add(name);
    const folded = foldCase(name);
    if (!this.#folded.has(folded)) this.#folded.set(folded, { name, site });
  }
}

/** Refuses members in another case than declared; where a schema applies others, for all of them together. */
export function memberCaseCheck(declared: DeclaredMembers, loop: number): Check<JsonObject> {
  const judge = (name: string, at: number, run: Run): boolean => {
    const complaint = declared.respelled(name);
    return complaint === null || failMember(complaint, name, at, run);
  };
  return (object, run) => {
    if (run.isLong) {
      const keys = memberNames(object);
      return run.each(loop, object, keys.length, (at) => judge(keys[at] ?? "", at, run));
    }
    let at = 0;
    let good = true;
    for (const name in object) {
      if (!judge(name, at++, run)) good = false;
      if (!good && run.faults === null) return false;
    }
    return good;
  };
}

/** Says no to the member of that name, the `at`th of its object. */
export function failMember(complaint: Complaint, name: string, at: number, run: Run): false {
  run.faults?.enter(name, at, false);
  run.fail(complaint);
  run.faults?.leave();
  return false;
}
