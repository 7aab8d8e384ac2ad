import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Contestant, findProgram, OUTPUT_FILE, type Ports } from "./contestant.ts";
import { IDLE_CONNECTIONS, type Workload } from "./workloads.ts";
import { AUDIENCE, DENIED_ADDRESS, ISSUER, POST_PATH, SCOPE, type World } from "./world.ts";

export const haproxy: Contestant = {
  name: "haproxy",
  refusesWithoutCertificate: "handshake",
  validates: false,
  accessLog: OUTPUT_FILE,
  missing: () => (findProgram("haproxy") === null ? "haproxy is not installed" : null),
  // It looks into no answer.
  supports: ({ routes, fields, searched }) => routes === 1 && !fields && searched === null,
  configure(workload, world, ports, folder) {
    const file = join(folder, "haproxy.cfg");
    writeFileSync(file, configuration(workload, world, ports));
    // Quiet, it would close standard output, where the log goes.
    return {
      file: findProgram("haproxy") ?? "haproxy",
      args: [...(workload.accessLog ? ["-db"] : ["-db", "-q"]), "-f", file],
    };
  },
};

function configuration(workload: Workload, world: World, ports: Ports): string {
  const tls =
    workload.transport === "plain"
      ? ""
      : ` ssl crt ${join(world.folder, "server-with-key.pem")} ssl-min-ver TLSv1.3 alpn ${workload.protocol}` +
        (workload.transport === "mtls" ? ` ca-file ${join(world.folder, "ca.pem")} verify required` : "");
  return `global
  nbthread 1
${workload.work === "connections" ? MANY_CONNECTIONS : "  maxconn 1000\n"}${workload.accessLog ? "  log stdout format raw local0\n" : ""}
defaults
  mode http
  timeout connect 1s
  timeout client 65s
  timeout server 30s
  timeout http-request 10s
${workload.work === "connections" ? "  timeout client 10m\n  timeout http-keep-alive 10m\n" : ""}${workload.accessLog ? "  log global\n  option httplog\n" : ""}  option http-keep-alive
  http-reuse always

frontend inbound
  bind 127.0.0.1:${ports.proxy}${tls}
${workload.policy === "full" ? fullRules(workload, world) : ""}  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto ${workload.transport === "plain" ? "http" : "https"}
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  default_backend app

backend app
  server app 127.0.0.1:${ports.origin}${workload.upstream === "h2c" ? " proto h2" : ""}
`;
}

/** It would reserve two files a connection, though few of these have a request in flight. */
const MANY_CONNECTIONS = `  maxconn ${IDLE_CONNECTIONS + 1000}\n  no strict-limits\n`;

/** The rules that postern's full policy states, in the same order. */
function fullRules(workload: Workload, world: World): string {
  const routed = `{ path_beg /v1/orders/ } METH_GET${workload.work === "post" ? ` or { path ${POST_PATH} } METH_POST` : ""}`;
  return `  http-request deny deny_status 403 if { src 203.0.113.0/24 ${DENIED_ADDRESS} }
  stick-table type ip size 65536 expire 10s store http_req_rate(1s)
  http-request track-sc0 src
  http-request deny deny_status 429 if { sc_http_req_rate(0) gt 900000 }
  http-request deny deny_status 404 unless ${routed}
  http-request set-var(txn.token) http_auth_bearer
  http-request deny deny_status 401 unless { var(txn.token) -m found }
  http-request deny deny_status 401 unless { var(txn.token),jwt_header_query('$.alg') -m str RS256 }
  http-request deny deny_status 401 unless { var(txn.token),jwt_verify("RS256","${join(world.folder, "jwt.pem")}") -m int 1 }
  http-request deny deny_status 401 unless { var(txn.token),jwt_payload_query('$.iss') -m str ${ISSUER} }
  http-request deny deny_status 401 unless { var(txn.token),jwt_payload_query('$.aud') -m str ${AUDIENCE} }
  http-request set-var(txn.now) date()
  http-request deny deny_status 401 unless { var(txn.token),jwt_payload_query('$.exp','int'),sub(txn.now) -m int gt 0 }
  http-request deny deny_status 403 unless { var(txn.token),jwt_payload_query('$.scope') -m reg (^|\\ )${SCOPE}(\\ |$) }
  http-request set-var(txn.sub) var(txn.token),jwt_payload_query('$.sub')
  http-request del-header authorization
  http-request set-header X-Postern-Principal %[var(txn.sub)]
  http-response del-header server
  http-response del-header x-powered-by
  http-response set-header X-Content-Type-Options nosniff
  http-response set-header X-Frame-Options DENY
  http-response set-header Referrer-Policy no-referrer
  http-response set-header Cache-Control no-store
  http-response set-header Strict-Transport-Security max-age=31536000
`;
}
