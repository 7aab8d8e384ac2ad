import type { Steps } from "../support/turns.ts";
import type { Work } from "./work.ts";

/**
 * Section `roles`. Each route that names a role compiles its rule anew, for what a rule may look at is the route's: its path
 * parameters, its body.
 */
export function* readRoles(work: Work): Steps<void> {
  for (const name of work.reader.names(["roles"])) {
    yield;
    if (work.problems.isFull) return;
    work.roles.defined.add(name);
    const path = ["roles", name];
    const rule = work.reader.read(work.registry.role.schema, work.reader.raw(path), path);
    if (rule !== undefined) work.roles.set(name, rule);
  }
}
