import { DEFAULTS } from "../support/defaults.ts";
import type { Entry } from "./entry.ts";
import { isSafe } from "./operation-use.ts";

type Axis = "exposure" | "threat";

interface FindingSpec {
  readonly axis: Axis;
  /** 1 low, 2 medium, 3 high. */
  readonly level: 1 | 2 | 3;
  readonly text: string;
}

const exposure = (level: FindingSpec["level"], text: string): FindingSpec => ({ axis: "exposure", level, text });
const threat = (level: FindingSpec["level"], text: string): FindingSpec => ({ axis: "threat", level, text });

/** What there is to say of an operation: how much of the service it lays open, and what others try on it. Closed; the docs have it. */
export const FINDINGS = {
  undeclared: exposure(2, "the service answers it, and no route and no document names it"),
  dead: exposure(1, "it is declared, and the service has answered none of it"),
  deprecated_used: exposure(1, "it is deprecated, and still asked for"),
  unauthenticated: exposure(2, "it was answered to callers whom nobody knows"),
  unauthenticated_change: exposure(3, "callers whom nobody knows change something"),
  sensitive: exposure(1, "sensitive data was seen"),
  sensitive_open: exposure(3, "sensitive data was seen, and callers are answered whom nobody knows"),
  unsafe_method: exposure(2, "it changes something of which only reading is declared"),
  get_with_body: exposure(1, "requests for reading have bodies, which some servers and caches do not see"),
  get_changes: exposure(2, "a method for reading has created something, or its path says that it changes something"),
  weak_token: exposure(2, "a caller's token lives for more than 30 days, has no end, or is for no audience"),
  gap_names: exposure(1, "more names stand at one place of its path than a list of routes has"),
  gap_spelling: exposure(2, "the service answers another spelling of its path, with other rules perhaps"),
  attacks: threat(3, "rules found attacks in its requests"),
  refused: threat(2, "most of its requests are refused"),
  probed: threat(1, "it was asked for, and there is nothing"),
} as const satisfies Record<string, FindingSpec>;

export type Finding = keyof typeof FINDINGS;

export const LEVELS = ["none", "low", "medium", "high"] as const;

export type Level = (typeof LEVELS)[number];

/** What an entry has to be compared with. */
export interface Surroundings {
  /** Shapes of which only reading is declared. */
  readonly readOnly: ReadonlySet<string>;
  /** Shapes that differ from others by case or a slash at the end, all of which the service answers. */
  readonly spelled: ReadonlySet<string>;
}

/** Steps of a path that say what a GET of them does. */
const CHANGE_WORD =
  /^(?:delete|remove|destroy|create|update|reset|disable|enable|cancel|logout|purge|approve|revoke)(?![a-z])/;

export function findingsOf(entry: Entry, { readOnly, spelled }: Surroundings): readonly Finding[] {
  const { use, status, method, path, shape, isDeprecated } = entry;
  const found: Finding[] = [];
  const add = (finding: Finding, holds: boolean): void => void (holds && found.push(finding));
  add("undeclared", status === "undeclared");
  add("dead", status === "dead");
  add("probed", status === "probed");
  if (use === null) return found;
  const { confirmed, answered, denied } = use.counts;
  const isOpen = use.anonymous > 0;
  const changes = !isSafe(method);
  add("deprecated_used", isDeprecated && confirmed + answered > 0);
  add("unauthenticated", isOpen && !changes);
  add("unauthenticated_change", isOpen && changes);
  add("sensitive", use.sensitive.size > 0 && !isOpen);
  add("sensitive_open", use.sensitive.size > 0 && isOpen);
  add("unsafe_method", changes && confirmed > 0 && status === "undeclared" && readOnly.has(shape));
  add("get_with_body", use.bodies > 0);
  add("get_changes", !changes && confirmed > 0 && (use.created > 0 || path.split("/").some(saysChange)));
  add(
    "weak_token",
    [...use.callers.values()].some(({ weak }) => weak !== 0),
  );
  add("gap_names", /\{slug\d*\}/.test(path));
  add("gap_spelling", spelled.has(shape));
  add("attacks", use.attacks > 0);
  add("refused", denied >= DEFAULTS.inventoryRefusedMin && denied > confirmed + answered);
  return found;
}

/** `deleteOrder` and `delete-order`, not `deleted`. */
function saysChange(step: string): boolean {
  return CHANGE_WORD.test(step);
}

/** The highest of an axis. */
export function levelOf(findings: readonly Finding[], axis: Axis): Level {
  const levels = findings.map((finding) => (FINDINGS[finding].axis === axis ? FINDINGS[finding].level : 0));
  return LEVELS[Math.max(0, ...levels)] ?? "none";
}
