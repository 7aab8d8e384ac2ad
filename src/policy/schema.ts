import * as z from "zod";
import { routeVersion } from "../filters/versions/schema.ts";
import type { LimitFields } from "../message/limit-state.ts";
import { STRAY_BODY_METHODS } from "../message/method.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { byteRate, durationMs, object, rate, sizeBytes } from "../support/schema.ts";
import { secretReference } from "../support/secret.ts";
import { parseListenAddress, parseLocalHostPort, parseServerName, parseUpstreamAddress } from "./addresses.ts";
import {
  clientCertificateShape,
  fileName,
  forwardedCertificateShape,
  parsed,
  workloadSchema,
} from "./certificate-schema.ts";
import { healthCheckSchema, serviceProbeSchema } from "./health-schema.ts";

/** The sections of a policy that belong to no filter. The policy's reader and its JSON Schema are made from these. */

/** What listeners, upstreams, authenticators, limits and services are called. Numbers are no names. */
export const nameSchema = z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/, {
  error: "expected a name: a letter, then letters, digits, '_', '.' or '-', at most 64",
});

export const timeoutMs = durationMs.refine((ms) => ms > 0 && ms <= DEFAULTS.timeoutMsMax, {
  error: "expected a time of more than 0 and at most 24h",
});

function count(most: number): z.ZodType<number, number> {
  return z.int().min(1).max(most);
}

export const tlsShape = {
  certificate: fileName
    .optional()
    .describe("PEM file: the certificate of this listener, then its intermediates. Needed unless 'spiffe' gives it."),
  key: fileName.optional().describe("PEM file: the certificate's private key."),
  spiffe: workloadSchema
    .optional()
    .describe("Certificate, key and trust bundles from a SPIFFE agent, in place of files."),
  minVersion: z.enum(["TLSv1.2", "TLSv1.3"]).optional().describe("Lowest version of TLS. TLSv1.2 if absent."),
  ja4: z
    .literal(true, { error: "expected true" })
    .optional()
    .describe("Whether JA4 of each client's hello is known, as attribute client.ja4. It is not if absent."),
  clientCertificate: object(clientCertificateShape).optional().describe("Certificates of clients (mutual TLS)."),
};

const proxyProtocolSchema = object({
  from: z
    .array(z.string())
    .min(1)
    .describe("Prefixes of proxies that begin every connection with a PROXY header; unix for those on a Unix socket."),
});

const headSize = sizeBytes.refine((bytes) => bytes >= 1024 && bytes <= DEFAULTS.headBytesCeiling, {
  error: "expected 1KiB to 1MiB",
});

export const listenerShape = {
  name: nameSchema.describe("Name of this listener in logs and metrics."),
  address: parsed(parseListenAddress).describe(
    "Where clients connect: 127.0.0.1:8443, [::1]:8443, localhost:8443 for both, or unix:/path.",
  ),
  protocols: z
    .array(z.enum(["h2", "http/1.1", "h2c"]))
    .min(1)
    .optional()
    .describe(
      "Protocols that are spoken, the preferred one first. [h2, http/1.1] with TLS if absent, [http/1.1] without; h2c is HTTP/2 there.",
    ),
  tls: object(tlsShape).optional().describe("TLS. Without it only loopback and Unix sockets are listened on."),
  plaintext: z
    .enum(["allowed"])
    .optional()
    .describe("Lets a listener without TLS stand on an address that other machines reach."),
  proxyProtocol: proxyProtocolSchema
    .optional()
    .describe("PROXY protocol, versions 1 and 2: proxies named here must send it, and nobody else is served."),
  trustedProxies: z
    .array(z.string())
    .optional()
    .describe("Prefixes of proxies whose X-Forwarded-For is believed, walked from the right."),
  forwardedClientCertificate: object(forwardedCertificateShape)
    .optional()
    .describe(
      "The client's certificate, as the trusted proxies that ended its TLS tell it in a header. Nobody else's is read.",
    ),
  forwardedHost: z
    .literal("trusted")
    .optional()
    .describe(
      "The service is told X-Forwarded-Host and -Port of these proxies instead of Host. Routes still go by Host.",
    ),
  upstream: nameSchema.optional().describe("The upstream of routes that name none. May be left out if there is one."),
  maxHeadBytes: headSize.optional().describe("Largest request line and headers. 32KiB if absent."),
  maxHeaders: count(1000).optional().describe("Most header lines of a request. 100 if absent."),
  maxConnections: count(1_000_000).optional().describe("Most connections at a time. 10000 if absent."),
  maxConnectionsPerAddress: count(1_000_000)
    .optional()
    .describe("Most connections of one client address (IPv6: one /64) at a time. Half of maxConnections if absent."),
  maxConnectionsPerIdentity: count(1_000_000)
    .optional()
    .describe(
      "Most connections at a time of one client certificate's holder: its SPIFFE ID, or its subject. Unlimited if absent.",
    ),
  maxHandshakesPerAddress: rate
    .optional()
    .describe(
      "TLS handshakes that one client address (IPv6: one /64) may begin, as in 20/second. Unlimited if absent.",
    ),
  maxHandshakes: rate
    .optional()
    .describe("TLS handshakes that all clients together may begin, as in 500/second. Unlimited if absent."),
  maxRequestsPerConnection: count(1_000_000_000)
    .optional()
    .describe("After so many requests a connection is closed. Unlimited if absent."),
  maxConnectionAge: timeoutMs
    .optional()
    .describe("A connection older than this is closed after its current request. Unlimited if absent."),
  handshakeTimeout: timeoutMs
    .optional()
    .describe("Time for the PROXY header, and for the TLS handshake or the first bytes of h2c. 10s if absent."),
  headTimeout: timeoutMs.optional().describe("Time for a request's headers to arrive. 10s if absent."),
  requestTimeout: timeoutMs
    .optional()
    .describe("Time for a whole request, headers and body, to arrive. Unlimited if absent; bodyMinRate holds anyway."),
  idleTimeout: timeoutMs.optional().describe("Time a connection may rest between requests. 65s if absent."),
  bodyMinRate: byteRate.optional().describe("Slowest a request's body may come, or off. 240B/s if absent."),
  bodyGrace: timeoutMs
    .optional()
    .describe("How far a request's body may be behind bodyMinRate at first. 5s if absent."),
  bodyProgressTimeout: timeoutMs
    .optional()
    .describe("Time a request's body may stand still, however fast it came before. 30s if absent."),
  writeTimeout: timeoutMs.optional().describe("Time for the client to take what is written to it. 30s if absent."),
};

const upstreamTlsSchema = object({
  ca: fileName.optional().describe("PEM file: the authorities that the service's certificate is verified against."),
  certificate: fileName.optional().describe("PEM file: postern's own certificate for the service."),
  key: fileName.optional().describe("PEM file: its private key."),
  spiffe: workloadSchema.optional().describe("Postern's own certificate from a SPIFFE agent, in place of files."),
  serverName: parsed(parseServerName)
    .optional()
    .describe("Name in the service's certificate. The address's host if absent."),
  minVersion: z.enum(["TLSv1.2", "TLSv1.3"]).optional().describe("Lowest version of TLS. TLSv1.2 if absent."),
});

export type UpstreamTlsEntry = z.output<typeof upstreamTlsSchema>;

export const upstreamShape = {
  address: parsed(parseUpstreamAddress).describe(
    "The service: http://127.0.0.1:3000, https://, h2c:// (HTTP/2 in the clear) or unix:/path.",
  ),
  protocol: z
    .enum(["http/1.1", "h2"])
    .optional()
    .describe("What the service speaks, for https: and unix: addresses. http/1.1 if absent; gRPC needs h2."),
  tls: upstreamTlsSchema.optional().describe("TLS to the service, for https: addresses. It is always verified."),
  connectTimeout: timeoutMs.optional().describe("Time to connect. 1s if absent."),
  writeTimeout: timeoutMs.optional().describe("Time for the service to take what is written to it. 30s if absent."),
  responseTimeout: timeoutMs.optional().describe("Time for the head of the answer. 30s if absent."),
  streamIdleTimeout: timeoutMs
    .optional()
    .describe("Time without a byte in either direction, once an answer has begun; also of a WebSocket. 5m if absent."),
  streamMaxDuration: timeoutMs
    .optional()
    .describe("Time for a whole exchange with the service, to the answer's last byte. Unlimited if absent."),
  maxHeadBytes: headSize.optional().describe("Largest status line and headers of an answer. 32KiB if absent."),
  maxHeaders: count(1000).optional().describe("Most header lines of an answer. 100 if absent."),
  idleTimeout: timeoutMs.optional().describe("Time an unused connection is kept. 4s if absent."),
  maxConnections: count(65_535).optional().describe("Most connections at a time. 256 if absent."),
  healthCheck: healthCheckSchema
    .optional()
    .describe("The service is asked again and again how it is. Nobody asks it if absent (docs/health.md)."),
};

export const adminShape = {
  address: parsed(parseLocalHostPort)
    .optional()
    .describe("Where /metrics, /livez, /readyz and /policy are: loopback only."),
  unsafeAddress: parsed(parseLocalHostPort)
    .optional()
    .describe("Instead of 'address': any address. Who reaches it reads metrics and policy without authentication."),
  hosts: z
    .array(parsed(parseServerName))
    .min(1)
    .max(DEFAULTS.adminHostsMax)
    .optional()
    .describe(
      "Names under which it may be asked, as in metrics.orders.svc. Addresses and localhost always may; names of web pages must not.",
    ),
  readyWithExpiredCertificate: z
    .boolean()
    .optional()
    .describe("Whether readiness says yes when a certificate that postern shows has expired. true if absent."),
  readyWithoutKeys: z
    .boolean()
    .optional()
    .describe(
      "Whether readiness says yes while the keys of an identity provider, by which tokens are verified, have never come. true if absent.",
    ),
  token: secretReference
    .optional()
    .describe(
      "Secret that acts at the admin port need, as 'postern quota reset' does. Reading needs none; without it nobody acts.",
    ),
  probes: parsed(parseLocalHostPort)
    .optional()
    .describe("Where /livez and /readyz alone answer whoever asks, as the kubelet: any address."),
  serviceProbes: z
    .array(serviceProbeSchema)
    .min(1)
    .max(DEFAULTS.serviceProbesMax)
    .optional()
    .describe(
      "Probes of the service itself at the port for probes: exactly these paths, for whoever asks, and of the service's answer its status alone.",
    ),
};

export const metricsShape = {
  address: parsed(parseLocalHostPort)
    .optional()
    .describe("Where /metrics alone is, apart from the admin port: loopback only."),
  unsafeAddress: parsed(parseLocalHostPort)
    .optional()
    .describe("Instead of 'address': any address. Who reaches it reads all metrics without authentication."),
  hosts: adminShape.hosts,
};

export const memoryShape = {
  maxBytes: sizeBytes
    .refine((bytes) => bytes >= DEFAULTS.memoryLimitBytesMin, { error: "expected at least 64MiB" })
    .optional()
    .describe("What the process may hold. The cgroup's limit if absent, which holds too; 2GiB where there is none."),
};

const limitFields: z.ZodType<LimitFields> = z.enum(["draft-11", "draft-06", "x-ratelimit"], {
  error: "expected draft-11, draft-06 or x-ratelimit",
});

export const limitHeadersShape = {
  fields: z
    .array(limitFields)
    .optional()
    .describe(
      "draft-11: RateLimit and RateLimit-Policy, all limits of a request; draft-06: RateLimit-Limit, -Remaining and -Reset; x-ratelimit: X-RateLimit-Limit, -Remaining and -Reset. [draft-11] if absent; [] for none.",
    ),
  partitionKey: z
    .boolean()
    .optional()
    .describe(
      "Whether draft-11 fields tell by 'pk' which of a limit's keys a request counts for, as a number that says nothing else. false if absent.",
    ),
};

export const stateShape = {
  directory: z
    .string()
    .min(1)
    .describe(
      "Folder for what survives a restart, as keys of an identity provider. It is made where it is missing, mode 0700.",
    ),
};

const method = z
  .string()
  .regex(/^[A-Z][A-Z0-9-]{0,31}$/, { error: "expected a method in upper case, as in GET" })
  .refine((name) => name !== "TRACE" && name !== "CONNECT", { error: "TRACE and CONNECT are never forwarded" });

const hostPattern = z
  .string()
  .regex(/^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/, {
    error: "expected a host name in lower case without port, as in api.example.org or *.example.org",
  });

const pathsSchema = z
  .enum(["caseSensitive", "caseInsensitive"])
  .optional()
  .describe(
    "Whether the service tells /Users from /users. If it does not (assumed if absent), a path that it may take for that of a more specific route is refused.",
  );

const keepInPathsSchema = z
  .array(z.enum(["encodedSlashes", "emptySegments", "parameters"]))
  .optional()
  .describe(
    "What of %2F, // and ; paths may have, because the service is known to read it as it stands. Refused if absent.",
  );

const keepBodiesInSchema = z
  .array(z.enum(STRAY_BODY_METHODS))
  .optional()
  .describe(
    "Methods whose requests may have a body though nobody has defined one, because the service is known to read it. Refused if absent.",
  );

/** The keys of `defaults` that belong to no filter. */
export const defaultsShape = { paths: pathsSchema, keepInPaths: keepInPathsSchema, keepBodiesIn: keepBodiesInSchema };

/** A route's own keys; those of the filters stand beside them. */
export const routeShape = {
  path: z.string().describe("Path template: /v1/orders/{orderId}; ** at its end is any rest."),
  methods: z
    .array(method)
    .min(1)
    .optional()
    .describe(
      "Methods of this route. GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS if absent, others by name only; GET lets HEAD pass too.",
    ),
  paths: pathsSchema,
  keepInPaths: keepInPathsSchema,
  keepBodiesIn: keepBodiesInSchema,
  hosts: z
    .array(hostPattern)
    .min(1)
    .optional()
    .describe("Hosts of this route: api.example.org, *.example.org. Any if absent."),
  version: routeVersion
    .optional()
    .describe("Which version of the API this is, or which; 'versions' says where requests name theirs. Any if absent."),
  upstream: nameSchema.optional().describe("Where requests go. The listener's upstream if absent."),
  responseTimeout: timeoutMs.optional().describe("Time for the head of the answer. The upstream's if absent."),
  streamIdleTimeout: timeoutMs
    .optional()
    .describe("Time without a byte in either direction, once an answer has begun. The upstream's if absent."),
  streamMaxDuration: timeoutMs
    .optional()
    .describe("Time for a whole exchange with the service, to the answer's last byte. The upstream's if absent."),
  public: z.literal(true).optional().describe("Nobody has to authenticate. A route has either this or 'authenticate'."),
};

export const versionSchema = z.literal(1, { error: "expected 1, the version of the policy language" });

/** Keys of the top level that begin so mean nothing by themselves: they are there for the anchors in them. */
export const ANCHORS_PREFIX = "x-";

/** Keys of the top level besides `version` and `service`. */
export const SECTIONS = [
  "include",
  "listeners",
  "upstreams",
  "admin",
  "metrics",
  "memory",
  "state",
  "log",
  "authenticators",
  "roles",
  "identity",
  "resourceMetadata",
  "decisionServices",
  "detectors",
  "limits",
  "limitHeaders",
  "stores",
  "plans",
  "bans",
  "overload",
  "ladder",
  "candidate",
  "guard",
  "requestId",
  "geo",
  "revoked",
  "versions",
  "decisions",
  "record",
  "inventory",
  "anomalies",
  "tracing",
  "defaults",
  "openapi",
  "grpc",
  "routes",
  "tests",
  "fixtures",
];
