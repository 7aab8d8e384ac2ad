import { queryNames } from "../message/query.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { maskTokens } from "../support/mask-tokens.ts";
import { err, ok, type Result } from "../support/result.ts";
import { type DecisionFacts, FACTS_VERSION, type PrincipalFacts } from "./decision-facts.ts";
import { readFacts } from "./read-facts.ts";

/** How much of a request a line tells. */
export interface RecordedRequest {
  readonly facts: DecisionFacts;
  /** False for lines of an access log, which tell nothing of headers and of credentials. */
  readonly hasHeaders: boolean;
}

/**
 * A line of a record → the request; or one of an access log: postern's own, the combined format of nginx and Apache, JSON of nginx,
 * HAProxy and Envoy with its usual names, and the default texts of HAProxy and Envoy. Null for a line that tells of no request,
 * as others of postern's log do.
 */
export function readLine(written: string): Result<RecordedRequest | null, string> {
  const line = written.replace(BEFORE_JSON, "");
  if (!line.startsWith("{")) return readText(line);
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return err("not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return err("expected a JSON object");
  const of = new Map<string, unknown>(Object.entries(value));
  if (of.has("v")) {
    const facts = readFacts(value);
    return facts.ok ? ok({ facts: facts.value, hasHeaders: true }) : facts;
  }
  if (of.has("event")) return of.get("event") === "request" ? readOwn(of) : ok(null);
  return readJson(of);
}

/** What syslog, journals and tools of containers put before a line of JSON. */
const BEFORE_JSON = /^[^"{}]{1,128} (?=\{.*\}\s*$)/;

/** Of a request of which its line does not tell the route. */
export const UNKNOWN_ROUTE = "unknown";

/** Of a request that its line has no id of. */
export const NO_ID = "-";

/** What lines of access logs have in common. */
interface Told {
  readonly time: string;
  readonly client: string;
  readonly method: string;
  /** With its query. */
  readonly target: string;
  readonly status: number;
  readonly more?: Partial<DecisionFacts>;
}

/** Of HTTP/2 HAProxy writes the whole URL, and so does every log of a request that had it. */
const ABSOLUTE = /^https?:\/\/([^/?#]*)/i;

function requestOf({ time, client, method, target: written, status, more }: Told): Result<RecordedRequest, string> {
  const atMs = Date.parse(time);
  if (Number.isNaN(atMs)) return err("the time cannot be read");
  const [origin = "", authority = ""] = ABSOLUTE.exec(written) ?? [];
  const rest = written.slice(origin.length);
  const target = origin === "" || rest.startsWith("/") ? rest : `/${rest}`;
  const queryAt = target.indexOf("?");
  const query = queryAt < 0 ? [] : queryNames(target.slice(queryAt)).slice(0, DEFAULTS.factsNamesMax);
  const facts = {
    v: FACTS_VERSION,
    id: NO_ID,
    atMs,
    listener: "",
    client: client === "" ? UNTOLD_CLIENT : withoutPort(client),
    protocol: "http/1.1",
    secure: true,
    method,
    path: maskTokens(queryAt < 0 ? target : target.slice(0, queryAt)),
    query,
    headers: [],
    route: UNKNOWN_ROUTE,
    place: null,
    version: null,
    principal: null,
    certificate: null,
    requestBytes: 0,
    responseBytes: 0,
    // Whose refusal it was, the gateway's or the service's, such a line does not tell.
    verdict: status >= 100 && status < 400 ? "allow" : "none",
    reason: null,
    denial: null,
    audited: [],
    status,
    decisionUs: 0,
    upstreamMs: null,
    durationMs: 0,
    policyHash: "",
    ...more,
    host: more?.host || hostOf(authority),
  };
  const read = readFacts(facts);
  return read.ok ? ok({ facts: read.value, hasHeaders: false }) : read;
}

/** A line of postern's own log, which has a verdict and a caller. */
function readOwn(of: ReadonlyMap<string, unknown>): Result<RecordedRequest, string> {
  const text = (name: string): string => textOf(of.get(name));
  const number = (name: string): number => numberOf(of.get(name));
  const reason = of.get("reason") ?? null;
  const isLeft = reason === "client_closed" || reason === "client_read_timeout";
  const isDenied = reason !== null && of.get("upstreamMs") === undefined && of.get("source") !== "upstream";
  return requestOf({
    time: text("time"),
    client: text("client"),
    method: text("method"),
    target: text("path"),
    status: number("status"),
    more: {
      id: text("id").slice(0, 64),
      listener: text("listener"),
      protocol: of.get("protocol") === "h2" ? "h2" : "http/1.1",
      route: text("route"),
      principal: of.has("principal") ? principalNamed(text("principal"), text("authenticator")) : null,
      requestBytes: number("bytesIn"),
      responseBytes: number("bytesOut"),
      verdict: isLeft && isDenied ? "none" : isDenied ? "deny" : "allow",
      // Judged with all else of the line.
      reason: reason as DecisionFacts["reason"],
      durationMs: number("durationMs"),
      policyHash: text("policyHash"),
    },
  });
}

/** The log has no word of its type: a token's is supposed, of which nothing else is known. */
function principalNamed(id: string, authenticator: string): PrincipalFacts {
  return { id, authenticator, type: "", scopes: [], roles: [], groups: [], claimNames: [], claims: {} };
}

/** Names under which JSON logs of nginx, HAProxy and Envoy usually have a thing. */
const NAMES = {
  time: ["time_iso8601", "start_time", "time", "timestamp", "@timestamp", "ts", "msec", "accept_date", "time_local"],
  client: [
    "downstream_remote_address_without_port",
    "remote_addr",
    "client_ip",
    "downstream_remote_address",
    "client",
    "client.address",
    "client.ip",
  ],
  method: ["request_method", "method", "http_method", "http.request.method"],
  target: ["request_uri", "path", "uri", "http_uri", "url.path"],
  status: ["status", "response_code", "status_code", "http_status", "http.response.status_code"],
  host: ["host", "http_host", "authority", ":authority"],
  agent: ["http_user_agent", "user_agent"],
  bytesIn: ["bytes_received", "content_length"],
  bytesOut: ["body_bytes_sent", "bytes_sent", "bytes_read"],
  id: ["request_id", "unique_id"],
} as const;

function readJson(of: ReadonlyMap<string, unknown>): Result<RecordedRequest, string> {
  const first = (names: readonly string[]): string => {
    for (const name of names) {
      const value = of.get(name);
      if (value !== undefined && value !== null) return textOf(value);
    }
    return "";
  };
  const [ofRequest = "", targetOfRequest = ""] = textOf(of.get("request") ?? "").split(" ");
  // Else a log with names of its own would pass for one in which nothing changes.
  const isNamed = of.has("request") || (first(NAMES.method) !== "" && first(NAMES.target) !== "");
  if (!isNamed || first(NAMES.status) === "") return err("no method, path or status under a name that is known");
  return requestOf({
    time: isoTime(first(NAMES.time)),
    client: first(NAMES.client),
    method: first(NAMES.method) || ofRequest,
    target: first(NAMES.target) || targetOfRequest,
    status: Number(first(NAMES.status)),
    more: {
      id: first(NAMES.id).slice(0, 64) || NO_ID,
      host: hostOf(first(NAMES.host)),
      headers: agentLine(first(NAMES.agent)),
      requestBytes: numberOf(first(NAMES.bytesIn)),
      responseBytes: numberOf(first(NAMES.bytesOut)),
    },
  });
}

/** nginx's and Apache's `combined`, `vhost_combined` and `common`, behind whatever syslog puts before it. */
const COMBINED =
  /^(?:[^"[\]]{1,128}(?:\[\d{1,10}\])?: )?(?:(\S{1,256}) (?=\S+ - ))?(\S{1,64}) \S+ \S+ \[([^\]]{1,40})\] "([A-Z]{1,32}) (\S+)(?: HTTP\/[\d.]+)?" (\d{3}) (\d+|-)(?: "[^"]*" "((?:[^"\\]|\\.)*)")?/;
/** `192.0.2.1:4000` and `[2001:db8::1]:4000`; an address of IPv6 alone has no port. */
function withoutPort(client: string): string {
  const hasPort = client.includes(".") || client.startsWith("[");
  return hasPort ? client.replace(/^\[?([^\]]*?)\]?(?::\d+)?$/, "$1") : client;
}

/** Of a client of which a line tells nothing, as Envoy writes it where nobody has forwarded the request. */
export const UNTOLD_CLIENT = "-";

/** Envoy's default text. */
const ENVOY =
  /^\[([^\]]{1,40})\] "([A-Z]{1,32}) (\S+) [^"]*" (\d{3}) \S+ (?:.*? )??(\d+) (\d+) \d+ \S+ "([^"]*)" "([^"]*)" "([^"]*)" "([^"]*)"/;
/** HAProxy's `option httplog`, behind whatever syslog puts before it. */
const HAPROXY =
  /(?:^|\s)(\S{1,64}):\d+ \[([^\]]{1,40})\] \S+ \S+ [-+\d/]+ (\d{3}) \+?(\d+) .*"([A-Z]{1,32}) (\S+)(?: HTTP\/[\d.]+)?"$/;

function readText(line: string): Result<RecordedRequest | null, string> {
  if (line.trim() === "") return ok(null);
  const combined = COMBINED.exec(line);
  if (combined !== null) {
    const [, host = "", client = "", time = "", method = "", target = "", status = ""] = combined;
    const [bytes = "", agent = ""] = combined.slice(7);
    const more = { host: hostOf(host), headers: agentLine(agent), responseBytes: numberOf(bytes) };
    return requestOf({ time: isoTime(time), client, method, target, status: Number(status), more });
  }
  const envoy = ENVOY.exec(line);
  if (envoy !== null) {
    const [, time = "", method = "", target = "", status = "", received = "", sent = "", client = "", agent = ""] =
      envoy;
    const [id = NO_ID, authority = ""] = envoy.slice(9);
    const more = {
      id: id.slice(0, 64),
      host: hostOf(authority),
      headers: agentLine(agent),
      requestBytes: numberOf(received),
      responseBytes: numberOf(sent),
    };
    return requestOf({ time, client: client.split(",")[0] ?? "", method, target, status: Number(status), more });
  }
  const haproxy = HAPROXY.exec(line);
  if (haproxy !== null) {
    const [, client = "", time = "", status = "", bytes = "", method = "", target = ""] = haproxy;
    const more = { responseBytes: numberOf(bytes) };
    return requestOf({ time: isoTime(time), client, method, target, status: Number(status), more });
  }
  return err("no line of a record, and none of an access log that is known");
}

/** `10/Oct/2026:13:55:36.123 +0200`, as web servers write it, or seconds since 1970; without a zone it is taken for UTC. */
function isoTime(text: string): string {
  if (/^\d{9,11}(?:\.\d{1,9})?$/.test(text)) return new Date(Number(text) * 1000).toISOString();
  const parts = /^(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d:\d\d:\d\d)(\.\d+)?(?: ([+-]\d{4}))?$/.exec(text);
  if (parts === null) return text;
  const [, day, month = "", year, time, fraction = "", zone = "+0000"] = parts;
  const at = String(MONTHS.indexOf(month) + 1).padStart(2, "0");
  return `${year}-${at}-${day}T${time}${fraction}${zone.slice(0, 3)}:${zone.slice(3)}`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function agentLine(agent: string): readonly string[] {
  return agent === "" || agent === "-"
    ? []
    : [`user-agent: ${maskTokens(agent.slice(0, DEFAULTS.factsValueCharsMax))}`];
}

function hostOf(authority: string): string {
  return authority.toLowerCase().replace(/:\d+$/, "");
}

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function numberOf(value: unknown): number {
  const number = Number(value);
  return Number.isFinite(number) ? number : 0;
}
