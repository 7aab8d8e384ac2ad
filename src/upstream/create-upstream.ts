import type { UpstreamSettings } from "../policy/snapshot.ts";
import type { Clock } from "../support/clock.ts";
import type { Deadlines } from "../support/deadlines.ts";
import { Pool } from "./pool.ts";
import { SessionPool } from "./session-pool.ts";
import type { Upstream } from "./upstream.ts";

/** The connections that the settings ask for; none is made before somebody needs it. */
export function createUpstream(settings: UpstreamSettings, clock: Clock, deadlines: Deadlines): Upstream {
  return settings.protocol === "h2"
    ? new SessionPool(settings, clock, deadlines)
    : new Pool(settings, clock, deadlines);
}

/** Equal settings give equal keys, so that a reload which leaves an upstream alone leaves its connections alone. */
export function upstreamKey(settings: UpstreamSettings): string {
  // Not the files themselves: a private key has no business in the key of a map.
  return JSON.stringify({ ...settings, tls: settings.tls?.fingerprint ?? null });
}
