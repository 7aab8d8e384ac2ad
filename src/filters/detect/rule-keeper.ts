import type { RuleSource } from "../../detection/rules/compile-rules.ts";
import type { RuleSet } from "../../detection/rules/rule-set.ts";
import type { RuleProblem } from "../../detection/seclang/directive.ts";
import type { Resource, ResourceStatus, ResourceWorld } from "../../resources/resource.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { ok, type Result } from "../../support/result.ts";
import { type Steps, Turns } from "../../support/turns.ts";
import { decodeRules, encodeRules, KEPT_RULES, type KeptRules } from "./kept-rules.ts";

/** Rules that were compiled, and what they are made of as long as no file has it. */
export interface KeepableRules {
  readonly rules: RuleSet;
  /** What each start says of the files. */
  readonly lacking: readonly RuleProblem[];
  source: RuleSource | null;
}

/**
 * What a detector's rules need beyond what a policy waits for: patterns are made in turns with requests, and what was compiled
 * is kept in the state folder, for a start that need not compile it again.
 */
export class RuleKeeper implements Resource {
  readonly kind = "rules";
  readonly name: string;
  readonly #digest: string;
  readonly #world: ResourceWorld;
  #compiled: KeepableRules | null = null;
  #later: (() => Steps<void>)[] = [];
  #isClosed = false;

  /** `digest`: hash of all that the rules are made of. */
  constructor(name: string, digest: string, world: ResourceWorld) {
    this.name = name;
    this.#digest = digest;
    this.#world = world;
  }

  /** What the state folder has of the same rules; null where it has nothing of them. */
  *load(): Steps<KeptRules | null> {
    const { folder } = this.#world;
    const content = folder?.readNow(KEPT_RULES, this.name) ?? null;
    if (folder === null || content === null) return null;
    const kept = yield* decodeRules(content);
    if (kept === null) void folder.damaged(KEPT_RULES, this.name, "the content cannot be read");
    return kept?.digest === this.#digest ? kept : null;
  }

  follow(compiled: KeepableRules): void {
    this.#compiled = compiled;
  }

  /** Work that nobody waits for, behind the patterns. */
  later(work: () => Steps<void>): void {
    this.#later.push(work);
  }

  tell(text: string): void {
    this.#world.note(this, text);
  }

  status(): ResourceStatus {
    return {
      kind: this.kind,
      name: this.name,
      state: "ready",
      detail: this.#compiled?.rules.isPrepared === true ? null : "patterns are being made",
      freshAtMs: null,
      staleUntilMs: null,
      fault: null,
      tries: { ok: 0, unchanged: 0, failed: 0, unusable: 0 },
    };
  }

  start(): void {
    void new Turns(this.#world.clock, DEFAULTS.rulesSliceMs).run(this.#untilClosed(this.#work()));
  }

  close(): void {
    this.#isClosed = true;
  }

  tryOnce(): Promise<Result<string, string>> {
    return Promise.resolve(ok("rules are compiled"));
  }

  *#work(): Steps<void> {
    const compiled = this.#compiled;
    if (compiled === null) return;
    const { rules, lacking, source } = compiled;
    yield* rules.prepare();
    for (let work = this.#later.shift(); work !== undefined; work = this.#later.shift()) yield* work();
    if (source === null) return;
    // Here and not before: whoever compiled the policy once more, for its tests, shares it and is never started.
    compiled.source = null;
    if (this.#world.folder === null) return;
    const content = yield* encodeRules({ digest: this.#digest, source, lacking }, rules.searchBuffer());
    yield;
    void this.#world.folder?.write(KEPT_RULES, this.name, content);
  }

  *#untilClosed(work: Steps<void>): Steps<void> {
    while (!this.#isClosed && work.next().done !== true) yield;
  }
}
