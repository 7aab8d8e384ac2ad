import { HealthCheck, type HealthCheckSettings } from "../health/health-check.ts";
import { HEALTH_CHECK, type Probe, type ProbeAnswer, type ProbeSettings } from "../health/probe.ts";
import { ServiceProbe } from "../health/service-probe.ts";
import { isReserved } from "../message/reserved-names.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { choiceOf } from "../support/schema.ts";
import { isLoopback } from "./addresses.ts";
import { checkUpstream } from "./check-upstream.ts";
import type { HealthCheckEntry, ServiceProbeEntry } from "./health-schema.ts";
import type { Path } from "./path.ts";
import type { UpstreamSettings } from "./snapshot.ts";
import type { Work } from "./work.ts";

/** Paths of the port for probes that are postern's own. */
const OWN_PATHS = ["/livez", "/readyz", "/healthz"];

const USUAL_STATUSES: ProbeSettings["statuses"] = [[200, 299]];
const USER_AGENT = "user-agent: postern-health\r\n";

/** `healthCheck` of an upstream: a resource of its own, by all that its answers depend on. */
export function compileHealthCheck(work: Work, upstream: UpstreamSettings, entry: HealthCheckEntry, path: Path): void {
  const probe = compileProbe(work, upstream, { ...entry, pathKey: "path" }, path, DEFAULTS.healthCheckTimeoutMs);
  if (probe === null) return;
  const effects = new Set(entry.whenUnhealthy);
  const settings: HealthCheckSettings = {
    name: upstream.name,
    intervalMs: entry.interval ?? DEFAULTS.healthCheckIntervalMs,
    healthyThreshold: entry.healthyThreshold ?? DEFAULTS.healthyThreshold,
    unhealthyThreshold: entry.unhealthyThreshold ?? DEFAULTS.unhealthyThreshold,
    gatesReadiness: effects.has("notReady"),
  };
  const reached = { ...upstream, tls: upstream.tls?.fingerprint ?? null };
  const check = work.acquisition.acquire(
    HEALTH_CHECK,
    [JSON.stringify([settings, probe, reached])],
    (world) => new HealthCheck(settings, open(work, upstream, probe), world, work.inputs.probing?.running),
  );
  if (!effects.has("refuse")) return;
  work.refusals.set(upstream.name, {
    check,
    place: work.reader.document.place([...path, "whenUnhealthy"]),
    retrySeconds: Math.ceil(settings.intervalMs / 1000),
  });
}

/** `admin.serviceProbes`: of a service that nobody but this machine reaches, and nothing of it but what is named. */
export function compileServiceProbes(
  work: Work,
  entries: readonly ServiceProbeEntry[],
  path: Path,
): ReadonlyMap<string, ServiceProbe> {
  if (work.reader.raw(["admin", "probes"]) === undefined) {
    work.problem("there is no port for them; expected 'probes' beside it, as in 0.0.0.0:9902", path);
  }
  const probes = new Map<string, ServiceProbe>();
  for (const [at, entry] of entries.entries()) {
    const place: Path = [...path, at];
    const taken = OWN_PATHS.includes(entry.path) ? "postern's own" : probes.has(entry.path) ? "another probe's" : null;
    if (taken !== null) work.problem(`this path is ${taken}; expected another one`, [...place, "path"]);
    const upstream = upstreamOf(work, entry.upstream, place);
    if (upstream === null) continue;
    const asked = { ...entry, path: entry.servicePath ?? entry.path, pathKey: "servicePath" };
    const probe = compileProbe(work, upstream, asked, place, DEFAULTS.serviceProbeTimeoutMs);
    if (probe !== null) probes.set(entry.path, new ServiceProbe(open(work, upstream, probe), work.inputs.clock));
  }
  return probes;
}

/** Elsewhere the kubelet can ask the service itself, and postern would be a way into another network. */
function upstreamOf(work: Work, name: string | undefined, place: Path): UpstreamSettings | null {
  const [only, another] = work.upstreams.defined;
  const named = name ?? (another === undefined ? only : undefined);
  if (named === undefined) {
    work.problem(`'upstream' is missing; ${choiceOf([...work.upstreams.defined])}`, place);
    return null;
  }
  const path = name === undefined ? place : [...place, "upstream"];
  if (!checkUpstream(work, named, path)) return null;
  const upstream = work.upstreams.get(named);
  if (upstream === undefined) return null;
  if (upstream.address.type === "unix" || isLoopback(upstream.address.host)) return upstream;
  work.problem(
    `'${named}' is on another machine, whose probes are not passed on; expected an upstream on loopback or a Unix socket`,
    path,
  );
  return null;
}

interface Asked
  extends Omit<HealthCheckEntry, "interval" | "healthyThreshold" | "unhealthyThreshold" | "whenUnhealthy"> {
  /** Under which the policy has the path at the service. */
  readonly pathKey: string;
}

/** Keys that say nothing of a check of another type. */
const OF_HTTP = ["path", "servicePath", "method", "expectedStatuses"] as const;

function compileProbe(
  work: Work,
  upstream: UpstreamSettings,
  entry: Asked,
  path: Path,
  timeoutMs: number,
): ProbeSettings | null {
  const { type = "http", headers = {} } = entry;
  let isSound = true;
  const problem = (text: string, ...inner: Path): void => {
    isSound = false;
    work.problem(text, [...path, ...inner]);
  };
  const has = (key: string): boolean => work.reader.raw([...path, key]) !== undefined;
  if (type === "http") {
    if (entry.path === undefined) problem(`'${entry.pathKey}' is missing; expected what is asked for, as in /healthz`);
  } else {
    // The path of a service probe is where it is asked for, whatever its type.
    for (const key of OF_HTTP) {
      if (has(key) && !(key === "path" && entry.pathKey !== "path")) problem(`'${key}' belongs to type http`, key);
    }
  }
  if (type !== "grpc" && has("service")) problem("'service' belongs to type grpc", "service");
  if (type === "tcp" && (has("headers") || has("host"))) {
    problem("nothing is said over the connection of type tcp", has("headers") ? "headers" : "host");
  }
  if (type === "grpc" && upstream.protocol !== "h2") {
    problem(`gRPC needs HTTP/2; expected h2c: in the address of '${upstream.name}', or 'protocol: h2'`, "type");
  }
  for (const name of Object.keys(headers)) {
    if (isReserved(name)) problem(`'${name}' is postern's own to write; expected another header`, "headers", name);
  }
  if (!isSound) return null;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return {
    type,
    method: entry.method ?? "GET",
    target: entry.path ?? "/",
    authority: entry.host ?? null,
    lines: (headers["user-agent"] === undefined ? USER_AGENT : "") + lines.join(""),
    service: entry.service ?? "",
    statuses: entry.expectedStatuses ?? USUAL_STATUSES,
    timeoutMs: entry.timeout ?? timeoutMs,
  };
}

const NOBODY: ProbeAnswer = {
  isGood: false,
  status: 503,
  text: "nobody was asked, for the policy is only looked at",
};

function open({ inputs }: Work, upstream: UpstreamSettings, probe: ProbeSettings): Probe {
  return inputs.probing?.open(upstream, probe) ?? (() => Promise.resolve(NOBODY));
}
