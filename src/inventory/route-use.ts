import type { Denial } from "../decision/verdict.ts";
import { placeText } from "../records/step.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { type CallerRoom, OperationUse } from "./operation-use.ts";
import { PathTree, type TreeRoom } from "./path-tree.ts";

/** Which of a policy's routes, over reloads. */
export interface RouteId {
  /** As the policy has it; `unmatched` for what no route takes. */
  readonly template: string;
  readonly hosts: readonly string[];
  readonly versions: readonly string[];
}

export const UNMATCHED: RouteId = { template: "unmatched", hosts: [], versions: [] };

/** What a rule refused, or would have. */
export interface RuleUse {
  readonly reason: string;
  /** `file:line:column` and the keys that lead there; null where the refusal is HTTP's own. */
  readonly place: string | null;
  readonly rule: string | null;
  denied: number;
  audited: number;
  lastMs: number;
}

/** What was seen of one route. */
export class RouteUse {
  readonly id: RouteId;
  /** What is before its `**`; null for a route with one place. */
  readonly prefix: string | null;
  /** Steps before its `**`. */
  readonly skipped: number;
  /** By method; of a route that is learnt, in `tree`. */
  readonly operations: Map<string, OperationUse> = new Map();
  readonly tree: PathTree<OperationUse>;
  readonly rules: Map<string, RuleUse> = new Map();
  requests = 0;
  /** Requests of which nothing was learnt: too many at once, or no room. */
  unlearnt = 0;
  readonly #callers: CallerRoom;

  constructor(id: RouteId, room: TreeRoom, callers: CallerRoom) {
    this.id = id;
    this.prefix = prefixOf(id.template);
    this.skipped = this.prefix === null ? 0 : this.prefix.split("/").length - 1;
    this.tree = new PathTree(room, (method) => new OperationUse(method, callers));
    this.#callers = callers;
  }

  operation(method: string): OperationUse {
    const known = this.operations.get(method);
    if (known !== undefined) return known;
    const name = this.operations.size < DEFAULTS.inventoryMethodsMax ? methodName(method) : OTHER_METHOD;
    const use = this.operations.get(name) ?? new OperationUse(name, this.#callers);
    this.operations.set(name, use);
    return use;
  }

  refused({ reason, place }: Denial, isAudited: boolean, nowMs: number): void {
    const where = placeText(place);
    const key = `${reason} ${where}`;
    let use = this.rules.get(key);
    if (use === undefined) {
      if (this.rules.size >= DEFAULTS.inventoryRulesMax) return;
      use = { reason, place: where, rule: place?.path ?? null, denied: 0, audited: 0, lastMs: 0 };
      this.rules.set(key, use);
    }
    if (isAudited) use.audited++;
    else use.denied++;
    use.lastMs = nowMs;
  }

  release(): void {
    for (const use of this.operations.values()) use.release();
    this.tree.release();
  }
}

/** Stands for methods that nobody knows. */
export const OTHER_METHOD = "OTHER";

const METHODS: ReadonlySet<string> = new Set(
  "GET HEAD POST PUT PATCH DELETE OPTIONS TRACE CONNECT QUERY COPY MOVE LOCK UNLOCK MKCOL PROPFIND PROPPATCH REPORT SEARCH PURGE LINK UNLINK".split(
    " ",
  ),
);

/** A client may write any word there. */
export function methodName(method: string): string {
  return METHODS.has(method) ? method : OTHER_METHOD;
}

/** Of unmatched requests the whole path is learnt. */
function prefixOf(template: string): string | null {
  if (template === UNMATCHED.template) return "";
  return template.endsWith("/**") ? template.slice(0, -3) : null;
}

/** By which a route is found again. */
export function keyOfRoute({ template, hosts, versions }: RouteId): string {
  return hosts.length + versions.length === 0 ? template : JSON.stringify([template, hosts, versions]);
}
