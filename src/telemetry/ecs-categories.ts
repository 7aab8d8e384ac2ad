import { REASONS } from "../decision/reason.ts";
import type { EventName } from "./event-log.ts";
import type { RequestRecord } from "./request-record.ts";

type Outcome = "success" | "failure";

/** The categorization fields of ECS beside `event.kind`; what fits none of its values is left out. */
interface Categories {
  readonly category: readonly string[];
  readonly type: readonly string[];
  readonly outcome?: Outcome;
}

const WEB = ["network", "web"];

/**
 * From the view of who tells: that something is refused is what postern is there for, so that the refusal is a success, as ECS has it
 * of a firewall (docs/field-values-usage.asciidoc); of what was let through the answer says how it went.
 */
const REQUESTS = {
  served: textOf({ category: WEB, type: ["access", "allowed"], outcome: "success" }),
  answeredBadly: textOf({ category: WEB, type: ["access", "allowed"], outcome: "failure" }),
  refused: textOf({ category: WEB, type: ["access", "denied"], outcome: "success" }),
  failed: textOf({ category: WEB, type: ["access", "error"], outcome: "failure" }),
} as const;

/** Of a request's line: members as JSON, with a comma before each. */
export function requestCategories({ reason, denial, status, grpcStatus }: RequestRecord): string {
  if (reason === null) return status >= 400 || (grpcStatus ?? 0) !== 0 ? REQUESTS.answeredBadly : REQUESTS.served;
  return REASONS[reason].source === "client" && denial !== null ? REQUESTS.refused : REQUESTS.failed;
}

const EVENTS: Readonly<Partial<Record<EventName, Categories>>> = {
  ready: { category: ["process"], type: ["start"], outcome: "success" },
  stopped: { category: ["process"], type: ["end"], outcome: "success" },
  crash: { category: ["process"], type: ["end"], outcome: "failure" },
  reload: { category: ["configuration"], type: ["change"] },
  rollback: { category: ["configuration"], type: ["change"], outcome: "success" },
  policy_kept: { category: ["configuration"], type: ["info"] },
  candidate: { category: ["configuration"], type: ["info"] },
  expired: { category: ["configuration"], type: ["info"] },
  admin_act: { category: ["configuration"], type: ["change"] },
  handshake_failed: { category: ["network"], type: ["connection"], outcome: "failure" },
  connection_refused: { category: ["network"], type: ["connection", "denied"], outcome: "success" },
  http2_fault: { category: ["network"], type: ["connection", "denied"], outcome: "success" },
  banned: { category: ["network"], type: ["denied"], outcome: "success" },
};

/** What `result` of a reload and of an act says. */
const RESULTS: Readonly<Record<string, Outcome>> = { ok: "success", unchanged: "success", done: "success" };

/** Of a line of the process. */
export function eventCategories(event: string, { result }: Readonly<Record<string, unknown>>): string {
  const kind = event === "anomaly" ? "alert" : "event";
  const known = Object.hasOwn(EVENTS, event) ? EVENTS[event as EventName] : undefined;
  if (known === undefined) return `,"event.kind":"${kind}"`;
  const outcome = typeof result === "string" ? (RESULTS[result] ?? "failure") : known.outcome;
  return textOf({ ...known, ...(outcome === undefined ? {} : { outcome }) }, kind);
}

function textOf({ category, type, outcome }: Categories, kind = "event"): string {
  const text = `,"event.kind":"${kind}","event.category":${JSON.stringify(category)},"event.type":${JSON.stringify(type)}`;
  return outcome === undefined ? text : `${text},"event.outcome":"${outcome}"`;
}
