import type { DraftLink } from "./draft.ts";
import { type Macro, macroOf } from "./macro.ts";

/** Names of TX that rules write, or read. */
export class WrittenNames {
  readonly #names = new Set<string>();
  /** Beginnings of names that are put together. */
  readonly #prefixes = new Set<string>();

  get size(): number {
    return this.#names.size + this.#prefixes.size;
  }

  has(name: string): boolean {
    if (this.#names.has(name)) return true;
    for (const prefix of this.#prefixes) if (name.startsWith(prefix)) return true;
    return false;
  }

  add({ constant, parts }: Macro): void {
    if (constant !== null) this.#names.add(constant.toLowerCase());
    else this.#prefixes.add(typeof parts[0] === "string" ? parts[0].toLowerCase() : "");
  }

  addName(name: string): void {
    this.#names.add(name);
  }

  /** All that a rule reads, as far as it tells it by its names. */
  addReadOf(links: readonly DraftLink[]): void {
    for (const { variables, operator, actions } of links) {
      for (const { collection, member } of variables) {
        if (collection !== "TX") continue;
        if (member.kind === "name") this.addName(member.name.toLowerCase());
        else this.#prefixes.add("");
      }
      const texts = [macroOf(operator.argument), actions.message, actions.logData];
      for (const { name, value } of actions.setVars) texts.push(name, value);
      for (const part of texts.flatMap(({ parts }) => parts))
        if (typeof part !== "string" && part.collection === "TX") this.addName(part.member);
    }
  }

  /** All that a rule writes when it matches, or half matches. */
  addOf(links: readonly DraftLink[]): void {
    for (const { actions } of links) {
      for (const { name } of actions.setVars) this.add(name);
      if (actions.capture) for (let index = 0; index <= 9; index++) this.addName(`${index}`);
    }
  }
}
