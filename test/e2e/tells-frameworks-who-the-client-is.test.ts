/**
 * Goal: with the setting that docs/behind-postern.md names, a framework takes the client of postern for the client, and TLS
 * for TLS; and no client can make it believe anything else. Method: the real frameworks, behind postern, asked from 127.0.0.2.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server as HttpServer } from "node:http";
import { Agent } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import express from "express";
import { fastify } from "fastify";
import Koa from "koa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../fixtures/free-port.ts";
import { writeNginxConf } from "../fixtures/nginx.ts";
import { type PolicyPorts, type Postern, startPostern } from "../fixtures/postern.ts";
import { environment, PYTHON, startProgram } from "../fixtures/program.ts";
import { closeAll, onClose } from "../fixtures/proxy.ts";
import {
  hasRealService,
  type RealService,
  type RealServiceKind,
  startRealService,
  type Understood,
} from "../fixtures/real-service.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/behind-postern.md"), "utf8");
const CLIENT = "127.0.0.2";

/** What stands in the page's second column. */
const SETTINGS = {
  express: 'app.set("trust proxy", "loopback")',
  fastify: 'Fastify({ trustProxy: "loopback" })',
  koa: "app.proxy = true; app.maxIpsCount = 1",
  tornado: "HTTPServer(app, xheaders=True)",
  django: 'SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")',
  nginx: "set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;",
  go: 'r.Header.Get("X-Forwarded-For")',
  flask: "app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)",
} as const;
type Framework = keyof typeof SETTINGS;

/** What the page says of servers that need no word: whether they believe the address, and the scheme. */
const BY_DEFAULT = {
  "gunicorn+django": { address: "127.0.0.1", scheme: "https" },
  "uvicorn+fastapi": { address: CLIENT, scheme: "https" },
  sinatra: { address: CLIENT, scheme: "https" },
} as const satisfies Partial<Record<RealServiceKind, object>>;
type Server = keyof typeof BY_DEFAULT;
const SERVERS = (Object.keys(BY_DEFAULT) as Server[]).filter(hasRealService);

let ports: Record<Framework, number>;
let folder: string;
let services: readonly RealService[];
let postern: Postern;

function upstreams(): readonly { name: string; path: string; at: number }[] {
  const ours = Object.entries(ports).map(([name, at]) => ({ name, path: `/${name}`, at }));
  return [
    ...ours,
    ...services.map(({ kind, port }) => ({ name: nameOf(kind), path: `/public/${nameOf(kind)}`, at: port })),
  ];
}

const nameOf = (kind: string): string => kind.replace("+", "-");

const policy = ({ port }: PolicyPorts): string => `
version: 1
service: pages
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', tls: { certificate: server.pem, key: server.key }, upstream: express }
upstreams:
${upstreams()
  .map(({ name, at }) => `  ${name}: { address: 'http://127.0.0.1:${at}' }\n`)
  .join("")}
routes:
${upstreams()
  .map(({ name, path }) => `  - { path: ${path}, public: true, upstream: ${name} }\n`)
  .join("")}
`;

beforeAll(async () => {
  ports = {
    express: await withExpress(),
    fastify: await withFastify(),
    koa: await withKoa(),
    flask: await freePort(),
    tornado: await freePort(),
    django: await freePort(),
    nginx: await freePort(),
    go: await freePort(),
  };
  folder = mkdtempSync(join(tmpdir(), "postern-pages-"));
  onClose(() => rmSync(folder, { recursive: true, force: true }));
  const others = Object.entries(PROGRAMS) as [Program, (port: number) => readonly [string, ...string[]]][];
  for (const [name, command] of others) {
    if (!there(name)) continue;
    const answers = (): Promise<boolean> =>
      fetch(`http://127.0.0.1:${ports[name]}/${name}`).then(
        ({ ok }) => ok,
        () => false,
      );
    await startProgram(command(ports[name]), answers);
  }
  services = await Promise.all(SERVERS.map(startRealService));
  postern = await startPostern(0, policy);
});
afterAll(() => closeAll());

/** `address scheme host` as each application believes them. */
async function withExpress(): Promise<number> {
  const app = express();
  app.set("trust proxy", "loopback");
  app.use((request, response) => void response.send(`${request.ip} ${request.protocol} ${request.host}`));
  return listen(createServer(app));
}

async function withFastify(): Promise<number> {
  const app = fastify({ trustProxy: "loopback" });
  app.all("/*", async (request) => `${request.ip} ${request.protocol} ${request.host}`);
  await app.listen({ host: "127.0.0.1", port: 0 });
  onClose(() => void app.close());
  return portOf(app.server);
}

async function withKoa(): Promise<number> {
  const app = new Koa();
  app.proxy = true;
  app.maxIpsCount = 1;
  app.use((context) => {
    context.body = `${context.ip} ${context.protocol} ${context.host}`;
  });
  return listen(createServer(app.callback()));
}

const FLASK = `
import sys
from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix
app = Flask(__name__)
${SETTINGS.flask}
@app.route("/flask")
def seen():
    return f"{request.remote_addr} {request.scheme} {request.host}"
app.run(port=int(sys.argv[1]))
`;

const TORNADO = `
import sys
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.web import Application, RequestHandler
class Seen(RequestHandler):
    def get(self):
        self.write(f"{self.request.remote_ip} {self.request.protocol} {self.request.host}")
app = Application([("/tornado", Seen)])
server = ${SETTINGS.tornado}
server.listen(int(sys.argv[1]), "127.0.0.1")
IOLoop.current().start()
`;

const DJANGO = `
import sys
from wsgiref.simple_server import make_server
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
from werkzeug.middleware.proxy_fix import ProxyFix
${SETTINGS.django}
def seen(request):
    return HttpResponse(f"{request.META['REMOTE_ADDR']} {request.scheme} {request.get_host()}")
urlpatterns = [path("django", seen)]
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="none", SECURE_PROXY_SSL_HEADER=SECURE_PROXY_SSL_HEADER)
make_server("127.0.0.1", int(sys.argv[1]), ProxyFix(get_wsgi_application())).serve_forever()
`;

const GO = `package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
)

func main() {
	http.HandleFunc("/go", func(w http.ResponseWriter, r *http.Request) {
		entries := strings.Split(${SETTINGS.go}, ",")
		client := strings.TrimSpace(entries[len(entries)-1])
		fmt.Fprint(w, client, " ", r.Header.Get("X-Forwarded-Proto"), " ", r.Host)
	})
	http.ListenAndServe("127.0.0.1:"+os.Args[1], nil)
}
`;

/** nginx knows the address alone; it is told the scheme by a header like anybody. */
function nginxFile(port: number): string {
  const told = "$remote_addr $http_x_forwarded_proto $host";
  return writeNginxConf(
    folder,
    `listen 127.0.0.1:${port};\n${SETTINGS.nginx}\nlocation /nginx { return 200 "${told}"; }`,
  );
}

function goBinary(): string {
  writeFileSync(join(folder, "seen.go"), GO);
  const binary = join(folder, "seen");
  const env = { ...environment(), GO111MODULE: "off", CGO_ENABLED: "0" };
  execFileSync("go", ["build", "-o", binary, join(folder, "seen.go")], { env });
  return binary;
}

const PROGRAMS = {
  flask: (port: number) => [PYTHON, "-c", FLASK, `${port}`],
  tornado: (port: number) => [PYTHON, "-c", TORNADO, `${port}`],
  django: (port: number) => [PYTHON, "-c", DJANGO, `${port}`],
  nginx: (port: number) => ["nginx", "-p", folder, "-c", nginxFile(port)],
  go: (port: number) => [goBinary(), `${port}`],
} as const satisfies Partial<Record<Framework, (port: number) => readonly [string, ...string[]]>>;
type Program = keyof typeof PROGRAMS;

/** The programs that these ask for, as the sample services know them. */
const NEEDS = {
  flask: "gunicorn+flask",
  tornado: "tornado",
  django: "gunicorn+django",
  nginx: "nginx",
  go: "go",
} as const;

async function listen(server: HttpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onClose(() => void server.close());
  return portOf(server);
}

function portOf(server: Pick<HttpServer, "address">): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** What a client may say of itself in vain. */
const CLAIMS = {
  "X-Forwarded-For": "203.0.113.9",
  "X-Forwarded-Proto": "http",
  "X-Forwarded-Host": "evil.example",
  Forwarded: "for=203.0.113.9;proto=http;host=evil.example",
  "X-Real-IP": "203.0.113.9",
};

async function ask(path: string, headers: Record<string, string>) {
  const agent = new Agent({ localAddress: CLIENT });
  const answer = await postern.call({ path, headers, agent, client: null });
  agent.destroy();
  return answer;
}

const there = (framework: Framework): boolean => !(framework in NEEDS) || hasRealService(NEEDS[framework as Program]);

for (const framework of Object.keys(SETTINGS) as Framework[]) {
  test.skipIf(!there(framework))(
    `${framework} knows the client and TLS, whatever the client says of itself`,
    async () => {
      expect(PAGE).toContain(SETTINGS[framework]);
      for (const headers of [{}, CLAIMS]) {
        const agent = new Agent({ localAddress: CLIENT });
        const { status, body } = await postern.call({ path: `/${framework}`, headers, agent, client: null });
        agent.destroy();
        expect(`${status} ${body}`).toBe(`200 ${CLIENT} https localhost`);
      }
    },
  );
}

test.each(SERVERS)(
  "%s, by its defaults, believes what the page says, whatever the client says of itself",
  async (server) => {
    for (const headers of [{}, CLAIMS]) {
      const { body } = await ask(`/public/${nameOf(server)}`, headers);
      const { address, scheme }: Understood = JSON.parse(body);
      expect({ address, scheme }).toEqual(BY_DEFAULT[server]);
    }
  },
);
