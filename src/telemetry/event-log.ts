import type { Clock } from "../support/clock.ts";
import { systemTimers, type Timers } from "../support/timers.ts";
import type { LogNames } from "./log-names.ts";
import type { LogOutput } from "./log-output.ts";
import { escaped } from "./log-text.ts";
import { RepeatedLines } from "./repeated-lines.ts";

/** The daemon's own lines: what happened to it, in the same stream and form as the access log. */
export const EVENTS = [
  "ready",
  "reload",
  "policy_kept",
  "rollback",
  "reload_waits",
  "thread_held",
  "warning",
  "handshake_failed",
  "http2_fault",
  "banned",
  "anomaly",
  "admin_act",
  "ladder_step",
  "would_deny",
  "candidate",
  "connection_refused",
  "listener_error",
  "watch_error",
  "expired",
  "resource",
  "state",
  "audit_head",
  "lines_left_out",
  "lines_dropped",
  "shutdown",
  "stopped",
  "crash",
] as const;
export type EventName = (typeof EVENTS)[number];

/** Those that an audit log gets as the log tells them; `banned`, of which the log leaves some out, and `anomaly` it gets whole, `admin_act` as the log has it. */
const AUDITED: ReadonlySet<EventName> = new Set([
  "ready",
  "reload",
  "rollback",
  "ladder_step",
  "policy_kept",
  "candidate",
  "expired",
  "shutdown",
  "stopped",
]);

/** Who else hears of an event. */
export type EventTap = (event: EventName, fields: Readonly<Record<string, unknown>>) => void;

/** Those that nobody asks for, and that come again and again while their cause lasts. */
const REPEATED: ReadonlySet<EventName> = new Set([
  "resource",
  "state",
  "watch_error",
  "reload_waits",
  "listener_error",
]);

type Level = "info" | "warn" | "error";
type EventFields = Readonly<Record<string, unknown>>;
type Write = (event: EventName, text: string, fields?: EventFields) => void;

export interface EventLog {
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
  /** Tells what is counted and not told yet: the end. */
  flush(): void;
}

export function createEventLog(
  clock: Clock,
  output: LogOutput,
  audit: EventTap = () => {},
  timers: Timers = systemTimers,
): EventLog {
  const time = rfc3339(clock);
  const repeated = new RepeatedLines(timers);
  const write =
    (level: Level): Write =>
    (event, text, fields = {}) => {
      const tell = (count: number): void =>
        output.writeEvent((names) =>
          eventLine(names, level, time(), { event, ...fields, ...(count === 0 ? {} : { repeated: count }), msg: text }),
        );
      if (REPEATED.has(event)) repeated.note(JSON.stringify([level, event, text, fields]), tell);
      else tell(0);
      if (AUDITED.has(event)) audit(event, fields);
    };
  return { info: write("info"), warn: write("warn"), error: write("error"), flush: () => repeated.flush() };
}

/** One JSON line; no host name and process id, which the platform adds. Undefined fields are left out. */
function eventLine(names: LogNames, level: Level, time: string, fields: EventFields): string {
  const members = Object.entries({ level, time, ...fields }).flatMap(([name, value]) => {
    const json = JSON.stringify(value);
    if (json === undefined) return [];
    const formed = names.formOf(name)?.(json) ?? json;
    return [`${JSON.stringify(names.nameOf(name))}:${formed}`];
  });
  const own = `${names.constants}${names.ofEvent(String(fields["event"]), fields)}`;
  return `${escaped(`{${members.join(",")}${own}}`)}\n`;
}

/** Date and time down to the second are kept from line to line; only the milliseconds are made anew. */
export function rfc3339(clock: Clock): () => string {
  let second = Number.NaN;
  let prefix = "";
  let lastMs = Number.NaN;
  let last = "";
  return () => {
    const wallMs = Math.floor(clock.wallMs());
    if (wallMs === lastMs) return last;
    const thisSecond = Math.floor(wallMs / 1000);
    if (thisSecond !== second) {
      second = thisSecond;
      prefix = new Date(thisSecond * 1000).toISOString().slice(0, 20);
    }
    lastMs = wallMs;
    last = `${prefix}${String(wallMs - thisSecond * 1000).padStart(3, "0")}Z`;
    return last;
  };
}
