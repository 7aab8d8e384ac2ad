import { isIP } from "node:net";
import { eventCategories, requestCategories } from "./ecs-categories.ts";
import { type LogNames, PLAIN_NAMES } from "./log-names.ts";

type Form = (json: string) => string;

interface Preset {
  readonly constants: Readonly<Record<string, string>>;
  readonly names: Readonly<Record<string, string>>;
  readonly forms: Readonly<Record<string, Form>>;
  /** What a line is about and how it went, in fields of the preset's own. */
  readonly categories?: Pick<LogNames, "own" | "ofRequest" | "ofEvent">;
}

/** Elastic's views and rules go by `client.ip`, whose type takes addresses alone: a Unix socket's peer has none. */
const clientOfEcs: Form = (json) => (isIP(json.slice(1, -1)) === 0 ? json : `${json},"client.ip":${json}`);

/** `"h2"` → `"2"`. */
const httpVersion: Form = (json) => (json === '"h2"' ? '"2"' : '"1.1"');

/** Elastic Common Schema 9 (elastic/ecs, generated/csv/fields.csv). What it has no field for stands under `postern.`. */
const ECS: Preset = {
  constants: { "ecs.version": "9.0.0" },
  names: {
    level: "log.level",
    time: "@timestamp",
    event: "event.action",
    msg: "message",
    id: "event.id",
    client: "client.address",
    country: "client.geo.country_iso_code",
    asn: "client.as.number",
    network: "client.as.organization.name",
    protocol: "http.version",
    method: "http.request.method",
    path: "url.path",
    status: "http.response.status_code",
    principal: "user.id",
    requestId: "http.request.id",
    traceId: "trace.id",
    spanId: "span.id",
    reason: "event.reason",
    rule: "rule.name",
    durationMs: "event.duration",
    bytesIn: "http.request.body.bytes",
    bytesOut: "http.response.body.bytes",
    error: "error.message",
  },
  forms: {
    client: clientOfEcs,
    protocol: httpVersion,
    // Nanoseconds.
    durationMs: (json) => String(Math.round(Number(json) * 1_000_000)),
    asn: (json) => json.replace(/\D/g, ""),
  },
  categories: {
    own: ["client.ip", "event.kind", "event.category", "event.type", "event.outcome"],
    ofRequest: requestCategories,
    ofEvent: eventCategories,
  },
};

/**
 * OpenTelemetry: the record's own fields as its specification has them in JSON (specification/compatibility/logging_trace_context.md,
 * specification/logs/data-model.md), attributes by semantic-conventions 1.45 (docs/registry/attributes), and for what they do not
 * have the names that spans have, or ones under `postern.`.
 */
const OTEL: Preset = {
  constants: {},
  names: {
    level: "severity_text",
    time: "timestamp",
    event: "event_name",
    msg: "body",
    traceId: "trace_id",
    spanId: "span_id",
    id: "postern.decision.id",
    client: "client.address",
    country: "geo.country.iso_code",
    protocol: "network.protocol.version",
    proxyPeer: "network.peer.address",
    method: "http.request.method",
    path: "url.path",
    route: "http.route",
    status: "http.response.status_code",
    principal: "enduser.id",
    bytesIn: "http.request.body.size",
    bytesOut: "http.response.body.size",
    requestId: "postern.request.id",
    policyHash: "postern.policy.hash",
    policy: "postern.policy.place",
  },
  forms: { protocol: httpVersion, level: (json) => json.toUpperCase() },
};

/** What the policy's `log.preset` may say. */
export const PRESETS: Readonly<Record<"ecs" | "otel", LogNames>> = { ecs: namesOf(ECS), otel: namesOf(OTEL) };

function namesOf({ constants, names, forms, categories = PLAIN_NAMES }: Preset): LogNames {
  const { own, ofRequest, ofEvent } = categories;
  return {
    own: [...Object.keys(constants), ...own],
    ofRequest,
    ofEvent,
    constants: Object.entries(constants)
      .map(([name, value]) => `,${JSON.stringify(name)}:${JSON.stringify(value)}`)
      .join(""),
    nameOf: (field) => (Object.hasOwn(names, field) ? (names[field] ?? field) : `postern.${field}`),
    formOf: (field) => (Object.hasOwn(forms, field) ? (forms[field] ?? null) : null),
  };
}
