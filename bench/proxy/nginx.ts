import { mkdirSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { type Contestant, findProgram, type Ports } from "./contestant.ts";
import type { Command } from "./processes.ts";
import { IDLE_CONNECTIONS, type Workload } from "./workloads.ts";
import { ANSWER_PATHS, BODY, ECHO_PATH, HIDDEN_MEMBER, LARGE_PATH, SAMPLE_PATH, type World } from "./world.ts";

export const nginx: Contestant = {
  name: "nginx",
  // nginx ends the handshake and tells the client in HTTP.
  refusesWithoutCertificate: 400,
  validates: false,
  accessLog: "access.log",
  missing: () => (findProgram("nginx") === null ? "nginx is not installed" : null),
  // It has no JWT without the commercial edition or njs, and speaks HTTP/2 to no service but gRPC.
  supports: ({ policy, routes, upstream, searched }) =>
    policy === "forward" && routes === 1 && upstream === "http/1.1" && searched === null,
  configure: (workload, world, ports, folder) =>
    nginxCommand(folder, proxyServer(workload, world, ports), {
      accessLog: workload.accessLog,
      connections: workload.work === "connections" ? IDLE_CONNECTIONS + 1000 : CONNECTIONS,
    }),
};

/** The service behind all contestants: it answers from its configuration or from a file, and cheaply. */
export function configureOrigin(port: number, h2cPort: number, folder: string, world: World): Command {
  const file = (path: string, name: string) => `    location = ${path} { alias ${name}; }\n`;
  const seen = "$http_x_forwarded_for|$http_x_forwarded_proto|$http_authorization|$http_host";
  return nginxCommand(
    folder,
    `  server {
    listen 127.0.0.1:${port};
    listen 127.0.0.1:${h2cPort} http2;
    default_type application/json;
    add_header X-Powered-By sample;
    sendfile on;
${file(SAMPLE_PATH, join(world.folder, "sample.bin"))}${file(LARGE_PATH, world.largeFile)}${file(ANSWER_PATHS["2kb"], join(world.folder, "few.json"))}${file(ANSWER_PATHS["1mib"], join(world.folder, "many.json"))}    location / { return 200 '${BODY}'; }
    location = ${ECHO_PATH} { return 200 '${seen}'; }
  }
`,
    { accessLog: false, connections: CONNECTIONS },
  );
}

/** Bodies of a gigabyte pass through memory alone, as they come. */
const STREAMING = `      client_max_body_size 0;
      proxy_request_buffering off;
      proxy_max_temp_file_size 0;
`;

/** It knows no fields; the same member of each item is a text that it can look for. */
const WITHOUT_FIELD = `      sub_filter '${HIDDEN_MEMBER}' '';
      sub_filter_once off;
      sub_filter_types application/json;
`;

export function proxyServer(workload: Workload, world: World, ports: Ports): string {
  const tls =
    workload.transport === "plain"
      ? ""
      : `    ssl_certificate ${join(world.folder, "server.pem")};
    ssl_certificate_key ${join(world.folder, "server.key")};
    ssl_protocols TLSv1.3;
${workload.transport === "mtls" ? `    ssl_client_certificate ${join(world.folder, "ca.pem")};\n    ssl_verify_client on;\n` : ""}`;
  return `  upstream app {
    server 127.0.0.1:${ports.origin};
    keepalive 64;
    keepalive_requests 1000000000;
    keepalive_time 1d;
  }
  server {
    listen 127.0.0.1:${ports.proxy}${workload.transport === "plain" ? "" : " ssl"}${workload.protocol === "h2" ? " http2" : ""};
${tls}${location("/", workload.work === "upload" || workload.work === "download" ? STREAMING : "")}${workload.fields ? location(`= ${ANSWER_PATHS[workload.answer]}`, WITHOUT_FIELD) : ""}  }
`;
}

function location(match: string, more: string): string {
  return `    location ${match} {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
${more}    }
`;
}

interface Main {
  readonly accessLog: boolean;
  readonly connections: number;
  /** Lines outside of `http`, and in it. */
  readonly modules?: string;
  readonly more?: string;
}

export const CONNECTIONS = 1024;

/** One worker, nothing outside `folder`; the log, where there is one, as Debian's configuration has it. */
export function nginxCommand(
  folder: string,
  servers: string,
  { accessLog, connections, modules = "", more = "" }: Main,
): Command {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "nginx.conf");
  // As root its workers would change to an account that may not enter the folder.
  const user = process.getuid?.() === 0 ? `user ${userInfo().username};\n` : "";
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `  ${kind}_temp_path ${join(folder, kind)};\n`)
    .join("");
  writeFileSync(
    file,
    `${modules}${user}daemon off;
worker_processes 1;
pid ${join(folder, "nginx.pid")};
error_log stderr error;
events { worker_connections ${connections}; }
http {
  access_log ${accessLog ? join(folder, nginx.accessLog) : "off"};
  server_tokens off;
  keepalive_requests 1000000000;
  keepalive_time 1d;
  keepalive_timeout 10m;
${temporary}${more}${servers}}
`,
  );
  return { file: findProgram("nginx") ?? "nginx", args: ["-p", folder, "-c", file, "-e", "stderr"] };
}
