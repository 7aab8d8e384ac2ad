import * as z from "zod";
import { DEFAULTS } from "../support/defaults.ts";
import { durationMs, headerName, object } from "../support/schema.ts";
import { parseAuthority } from "./addresses.ts";
import { parsed } from "./certificate-schema.ts";

const PATH_EXPECTED = "expected a path as it is sent, as in /healthz or /healthz?full=1";

/** Path and query of a request: visible characters that stand in one, at most 1024. */
const target = z
  .string({ error: PATH_EXPECTED })
  .regex(/^\/(?!\/)[A-Za-z0-9\-._~!$&'()*+,;=:@%/?]{0,1023}$/, { error: PATH_EXPECTED });

const OWN_PATH_EXPECTED = "expected a path of letters, digits and - . _ ~ /, as in /app/readyz, at most 128";

/** As it has to be asked for, byte by byte: nothing in it that could be spelt in two ways. */
const ownPath = z
  .string({ error: OWN_PATH_EXPECTED })
  .regex(/^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*){1,16}$/, { error: OWN_PATH_EXPECTED })
  .max(128, { error: OWN_PATH_EXPECTED });

const STATUSES_EXPECTED = "expected a status or a range of them, as in 204 or 200-399";

/** 204, or '200-399' → from and to. */
const statuses: z.ZodType<readonly [number, number], number | string> = z
  .union([z.int().min(100).max(599), z.string().regex(/^[1-5]\d\d-[1-5]\d\d$/)], { error: STATUSES_EXPECTED })
  .transform((value): readonly [number, number] => {
    const [from = 0, to = from] = String(value).split("-").map(Number);
    return [from, to];
  })
  .refine(([from, to]) => from <= to, { error: STATUSES_EXPECTED });

const CREDENTIALS = new Set(["authorization", "cookie"]);

const header = headerName
  .refine((name) => !CREDENTIALS.has(name), {
    error: "a secret has no place in a policy, and a page for probes should ask for none",
  })
  .refine((name) => name !== "host", { error: "'host' says it" });

const headerValue = z
  .string()
  .regex(/^[\x21-\x7e](?:[\x20-\x7e]{0,1022}[\x21-\x7e])?$/, { error: "expected 1 to 1024 visible characters" });

const GRPC_SERVICE_EXPECTED = "expected the full name of a service, as in orders.v1.Orders";

function within(least: number, most: number, text: string): z.ZodType<number, string> {
  return durationMs.refine((ms) => ms >= least && ms <= most, { error: text });
}

const timeout = within(100, DEFAULTS.healthCheckTimeoutMsMax, "expected a time from 100ms to 60s");

/** How a service is asked, apart from where. */
const askShape = {
  type: z
    .enum(["http", "grpc", "tcp"])
    .optional()
    .describe(
      "http: a request; grpc: grpc.health.v1.Health/Check, for a service that speaks h2; tcp: a connection. http if absent.",
    ),
  host: parsed(parseAuthority)
    .optional()
    .describe(
      "Host of the request, as in orders.example.org. The upstream's address if absent; localhost on a socket.",
    ),
  headers: z
    .record(header, headerValue)
    .refine((lines) => Object.keys(lines).length <= DEFAULTS.healthCheckHeadersMax, {
      error: `expected at most ${DEFAULTS.healthCheckHeadersMax} headers`,
    })
    .optional()
    .describe("Header lines of the request. None of them is secret."),
  service: z
    .string({ error: GRPC_SERVICE_EXPECTED })
    .regex(/^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*$/, { error: GRPC_SERVICE_EXPECTED })
    .max(256, { error: GRPC_SERVICE_EXPECTED })
    .optional()
    .describe("For grpc: the name of the service that is asked for. The server as a whole if absent."),
};

const threshold = z.int().min(1).max(DEFAULTS.healthThresholdMax);

export const healthCheckSchema = object({
  ...askShape,
  path: target.optional().describe("For http: path and query that are asked for, as in /healthz."),
  method: z.enum(["GET", "HEAD"]).optional().describe("For http. GET if absent."),
  expectedStatuses: z
    .array(statuses)
    .min(1)
    .max(DEFAULTS.healthCheckStatusesMax)
    .optional()
    .describe("For http: which answers are good, as in [200-299, 404]. [200-299] if absent; no redirect is followed."),
  interval: within(DEFAULTS.healthCheckIntervalMsMin, 3_600_000, "expected a time from 1s to 1h")
    .optional()
    .describe("Time from the end of one check to the next, a tenth more or less. 10s if absent."),
  timeout: timeout
    .optional()
    .describe("Time for a whole check, from connecting to the end of the answer. 3s if absent."),
  healthyThreshold: threshold
    .optional()
    .describe(
      "Good answers in a row that make an unhealthy service healthy. 2 if absent; the first answer of all counts.",
    ),
  unhealthyThreshold: threshold
    .optional()
    .describe("Bad answers in a row that make the service unhealthy. 3 if absent."),
  whenUnhealthy: z
    .array(z.enum(["notReady", "refuse"]))
    .optional()
    .describe(
      "What it changes. notReady: /readyz says 503 until the service is healthy, and while it is not; refuse: requests are answered 503 at once while it is unhealthy. If absent nothing but log, metrics and /readyz?verbose.",
    ),
});

export type HealthCheckEntry = z.output<typeof healthCheckSchema>;

export const serviceProbeSchema = object({
  path: ownPath.describe("Where it is at the port for probes, to the letter, as in /app/readyz."),
  upstream: z
    .string()
    .optional()
    .describe("Whose probe it is: an upstream on loopback or a Unix socket. May be left out if there is one upstream."),
  ...askShape,
  servicePath: target.optional().describe("For http: path and query at the service, as in /ready. 'path' if absent."),
  timeout: timeout.optional().describe("Time for the service's whole answer; 503 beyond. 1s if absent."),
});

export type ServiceProbeEntry = z.output<typeof serviceProbeSchema>;
