import { type Logger, pino } from "pino";
import type { Clock } from "../support/clock.ts";
import type { LogSink } from "./log-sink.ts";

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
  "admin_act",
  "would_deny",
  "candidate",
  "connection_refused",
  "listener_error",
  "watch_error",
  "expired",
  "resource",
  "state",
  "audit_head",
  "shutdown",
  "stopped",
  "crash",
] as const;
export type EventName = (typeof EVENTS)[number];

/** Those that an audit log gets as the log tells them; `banned` and `admin_act`, of which the log leaves some out, it gets whole. */
const AUDITED: ReadonlySet<EventName> = new Set([
  "ready",
  "reload",
  "rollback",
  "policy_kept",
  "candidate",
  "expired",
  "shutdown",
  "stopped",
]);

/** Who else hears of an event. */
export type EventTap = (event: EventName, fields: Readonly<Record<string, unknown>>) => void;

export interface EventLog {
  info(event: EventName, text: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: EventName, text: string, fields?: Readonly<Record<string, unknown>>): void;
  error(event: EventName, text: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** JSON lines with an RFC 3339 time and the level as a word; no host name and pid, which the platform adds. */
export function createLogger(clock: Clock, sink: LogSink): Logger {
  const time = rfc3339(clock);
  return pino(
    {
      base: null,
      timestamp: () => `,"time":"${time()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    sink,
  );
}

/** Lines about the daemon are written at once: they are few, and the last one before an end counts most. */
export function createEventLog(logger: Logger, sink: LogSink, audit: EventTap = () => {}): EventLog {
  const write =
    (level: "info" | "warn" | "error"): EventLog["info"] =>
    (event, text, fields) => {
      logger[level]({ event, ...fields }, text);
      sink.flush();
      if (AUDITED.has(event)) audit(event, fields ?? {});
    };
  return { info: write("info"), warn: write("warn"), error: write("error") };
}

/** Date and time down to the second are kept from line to line; only the milliseconds are made anew. */
export function rfc3339(clock: Clock): () => string {
  let second = Number.NaN;
  let prefix = "";
  return () => {
    const wallMs = Math.floor(clock.wallMs());
    const thisSecond = Math.floor(wallMs / 1000);
    if (thisSecond !== second) {
      second = thisSecond;
      prefix = new Date(thisSecond * 1000).toISOString().slice(0, 20);
    }
    return `${prefix}${String(wallMs - thisSecond * 1000).padStart(3, "0")}Z`;
  };
}
