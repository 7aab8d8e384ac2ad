// Goal: a client is never led to an internal host, nor to where an attacker had the service send it; honest redirects work end to end behind a
// prefix that the service does not know.
// Method: the real process over TLS, HTTP/1.1 and HTTP/2, Express with its own redirects, and one that is told by its query where to.
import { createServer } from "node:http";
import express from "express";
import { beforeAll, expect, test } from "vitest";
import { askH2 } from "../fixtures/h2-client.ts";
import { type PolicyPorts, type Postern, startPostern } from "../fixtures/postern.ts";
import { onClose } from "../fixtures/proxy.ts";

let postern: Postern;
beforeAll(async () => {
  const app = express();
  app.get("/to", (request, response) => response.redirect(`${request.query["url"]}`));
  app.get("/absolute", (request, response) =>
    response.redirect(301, `${request.protocol}://${request.get("host")}/to?url=/x`),
  );
  app.get("/back", (request, response) => response.redirect(`http://127.0.0.1:${request.socket.localPort}/orders/7`));
  const server = createServer(app);
  onClose(() => server.close());
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  postern = await startPostern(typeof address === "object" ? (address?.port ?? 0) : 0, policy);
});

const policy = ({ port, admin, app }: PolicyPorts): string => `version: 1
service: orders
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    protocols: [h2, http/1.1]
    tls: { certificate: server.pem, key: server.key }
    upstream: app
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}" }
routes:
  - path: /v1/**
    public: true
    rewrite: { prefix: { from: /v1, to: / }, host: orders.example.net }
    response: { location: { allow: ['https://login.example.org'] } }
  - path: /audited/**
    public: true
    rewrite: { prefix: { from: /audited, to: / } }
    response: { location: { mode: audit } }
`;

test("honest redirects lead to where clients can go on", async () => {
  for (const [path, location] of [
    ["/v1/to?url=/orders/7", "/v1/orders/7"],
    ["/v1/to?url=https://login.example.org/a%3Fb=c", "https://login.example.org/a?b=c"],
    ["/v1/absolute", "/v1/to?url=/x"],
    ["/v1/back", "/v1/orders/7"],
  ] as const) {
    const { status, headers } = await postern.call({ path });
    expect([status >= 301 && status <= 302, headers["location"]], path).toEqual([true, location]);
  }
});

test("an open redirect of the service is none for its clients", async () => {
  for (const url of ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]) {
    const path = `/v1/to?url=${encodeURIComponent(url)}`;
    const { status, reason, headers, body } = await postern.call({ path });
    expect([status, reason, headers["location"]], url).toEqual([502, "response_denied", undefined]);
    expect(body).not.toContain("evil");
  }
  const second = await askH2(postern.h2(), { ":path": "/v1/to?url=//evil.example" });
  expect([second.status, second.headers["location"]]).toEqual([502, undefined]);
});

test("what is only audited leaves as it came, and is told", async () => {
  const { status, headers } = await postern.call({ path: "/audited/to?url=https://evil.example/" });
  expect([status, headers["location"]]).toEqual([302, "https://evil.example/"]);
  const line = await postern.logged(({ path, audited }) => path === "/audited/to" && Array.isArray(audited));
  expect(line["audited"]).toMatchObject([
    { reason: "response_denied", seen: "location leads to https://evil.example" },
  ]);
});
