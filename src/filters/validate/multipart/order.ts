import type { MediaType } from "../../../bodies/media-type.ts";
import type { MimeHead } from "../../../bodies/part-head.ts";
import { CONTINUE, type Denial, type Verdict } from "../../../decision/verdict.ts";
import { deny, type PartRule, type PartsRules, unclear } from "./rules.ts";

/** Which rule each part of one body is judged by, and what only their order and number show. */
export class PartOrder {
  readonly #rules: PartsRules;
  /** Of multipart/related (RFC 2387 section 3): which part the others belong to, and its type. */
  readonly #start: string | undefined;
  readonly #startType: string | undefined;
  /** `start*` and `start*0` (RFC 2231) are `start` to readers of mail alone. */
  readonly #isSplit: boolean;
  #count = 0;
  /** Place in `prefix` of the next part. */
  #next = 0;
  /** Names and Content-IDs so far: services that look a part up by one of them take the first or the last. */
  readonly #names = new Set<string>();

  constructor(rules: PartsRules, media: MediaType | null) {
    this.#rules = rules;
    const isRelated = media?.type === "multipart/related";
    this.#start = isRelated ? media.parameters.get("start") : undefined;
    this.#startType = isRelated ? media.parameters.get("type")?.toLowerCase() : undefined;
    this.#isSplit = isRelated && [...media.parameters.keys()].some((name) => /^(?:start|type)\*/.test(name));
  }

  /** Parts so far: the number of the one that is being judged, counted from 1. */
  get count(): number {
    return this.#count;
  }

  /** The rule of the part that begins. */
  next(head: MimeHead, type: string): PartRule | Denial {
    const { partsMax, items } = this.#rules;
    if (++this.#count > partsMax)
      return this.#deny("form_parts_exceeded", "maxParts", `expected at most ${partsMax} parts`, "more parts");
    const denial = this.#judgeNames(head) ?? (this.#count === 1 ? this.#judgeRoot(head, type) : null);
    if (denial !== null) return denial;
    const rule = this.#ruleOf(head);
    if (rule !== null) return rule;
    const detail = items === null ? "no further part is expected" : "expected a part of another name";
    return deny("body_schema_mismatch", this.#count, this.#rules, "prefix", detail, "undeclared", this.#rules);
  }

  /** The body is over. */
  end(): Verdict {
    const { partsMin, prefix } = this.#rules;
    const missing = prefix.findIndex(({ required }, at) => required && at >= this.#next);
    const rule = prefix[missing];
    if (rule !== undefined) return this.#missing(rule);
    if (this.#count >= partsMin) return CONTINUE;
    return this.#deny("body_schema_mismatch", "minParts", `expected at least ${partsMin} parts`, "fewer parts");
  }

  #judgeNames({ name, lines }: MimeHead): Denial | null {
    const id = lines.get("content-id");
    const own = [name, id === undefined ? null : bare(id)].filter((one) => one !== null);
    if (own.some((one) => this.#names.has(one))) return unclear("two parts of one name", this.#rules);
    for (const one of own) this.#names.add(one);
    return null;
  }

  /** What the body's own type says of its first part has to be so: by it some services find the part that counts. */
  #judgeRoot({ lines }: MimeHead, type: string): Denial | null {
    if (this.#isSplit)
      return unclear("a parameter 'start' or 'type' that only some services put together", this.#rules);
    if (this.#start !== undefined && bare(this.#start) !== bare(lines.get("content-id") ?? ""))
      return unclear("a parameter 'start' that does not name the first part", this.#rules);
    if (this.#startType !== undefined && this.#startType !== type)
      return unclear("a parameter 'type' that is not the type of the first part", this.#rules);
    return null;
  }

  /** That of the next place, or of the one that has its name; null where there is none. */
  #ruleOf({ name }: MimeHead): PartRule | Denial | null {
    const { prefix, items } = this.#rules;
    // What has a place of its own may not come at another: services that look for its name take it wherever it is.
    const hasOwn = name !== null && prefix.some((rule) => rule.name === name);
    for (const [at, rule] of [...prefix.entries()].slice(this.#next)) {
      if (name === null || rule.name === name || (rule.name === null && !hasOwn)) {
        this.#next = at + 1;
        return rule;
      }
      if (rule.required) return this.#missing(rule);
    }
    if (hasOwn) return null;
    this.#next = prefix.length;
    return items;
  }

  #missing(rule: PartRule): Denial {
    const named = rule.name === null ? `part ${this.#rules.prefix.indexOf(rule) + 1}` : `a part '${rule.name}'`;
    return deny("body_schema_mismatch", null, rule, "required", `expected ${named}`, "a part is missing", this.#rules);
  }

  #deny(reason: Denial["reason"], keyword: string, detail: string, seen: string): Denial {
    return deny(reason, null, this.#rules, keyword, detail, seen, this.#rules);
  }
}

/** A Content-ID, with or without the angle brackets that belong to it (RFC 2045 section 7). */
function bare(id: string): string {
  return id.replace(/^<(.*)>$/, "$1");
}
