// Goal: what lines share is told anew when any of it is another. Method: each line beside that of a writer that remembers nothing.
import { expect, test } from "vitest";
import type { Principal } from "../../src/message/principal.ts";
import { AccessLine } from "../../src/telemetry/access-line.ts";
import { certificateOf } from "../fixtures/certificate.ts";
import { exchangeOf, recordOf } from "../fixtures/telemetry.ts";

const TIME = "2026-01-01T00:00:00.000Z";

function principalOf(id: string): Principal {
  const [key, claims] = [`idp/${id}`, {}];
  return { authenticator: "idp", type: "jwt", id, key, scopes: new Set(), claims, expiresAtMs: 0 };
}

function geoOf(country: string) {
  return { country: () => country, continent: () => null, asn: () => null, network: () => null, knows: () => true };
}

const CHANGES: Readonly<Record<string, readonly unknown[]>> = {
  clientAddress: ["192.0.2.1", "192.0.2.2"],
  listener: ["one", "two"],
  protocol: ["http/1.1", "h2"],
  route: ["/a", "/b"],
  status: [200, 201, 404],
  grpcStatus: [null, 7],
  policyHash: ["0123456789abcdef", "fedcba9876543210"],
  upstreamMs: [-1, 0, 1.25],
  durationMs: [0, 0.5, 1234.567],
  decisionMs: [0, 0.0123],
  requestBodyBytes: [0, 5_000_000_000],
};
const EXCHANGE_CHANGES: Readonly<Record<string, readonly unknown[]>> = {
  method: ["GET", "PUT"],
  upstream: ["app", "other", ""],
  principal: [null, principalOf("a"), principalOf("b")],
  certificate: [null, certificateOf({}), certificateOf({ untrusted: "CERT_HAS_EXPIRED" })],
  version: [null, "1", "2"],
  deprecated: [null, "served"],
  geo: [null, geoOf("DE"), geoOf("FR")],
};

test("a line that follows others is the one that it would be alone", () => {
  const remembers = new AccessLine();
  const names = [...Object.keys(CHANGES), ...Object.keys(EXCHANGE_CHANGES)];
  const picks = new Map(names.map((name) => [name, 0]));
  const picked = (table: typeof CHANGES) =>
    Object.fromEntries(Object.entries(table).map(([name, of]) => [name, of[(picks.get(name) ?? 0) % of.length]]));
  // Each step changes one thing of the request before, or none: thrice the same, so that what is kept is used.
  for (let step = 0; step < names.length * 12; step++) {
    const name = step % 3 === 0 ? names[(step / 3) % names.length] : undefined;
    if (name !== undefined) picks.set(name, (picks.get(name) ?? 0) + 1);
    const exchange = Object.assign(exchangeOf("GET", `/orders/${step}`), picked(EXCHANGE_CHANGES));
    const record = recordOf({ ...picked(CHANGES), exchange, id: `id-${step}` });
    const line = remembers.write(record, "info", TIME, "").toString();
    expect(line).toBe(new AccessLine().write(record, "info", TIME, "").toString());
    expect(JSON.parse(line)).toMatchObject({ id: `id-${step}`, status: record.status, route: record.route });
  }
});
