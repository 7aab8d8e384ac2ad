import { afterEach, expect, test } from "vitest";
import { Ages } from "../../src/daemon/ages.ts";
import { createEventLog } from "../../src/telemetry/event-log.ts";
import { LogOutput } from "../../src/telemetry/log-output.ts";
import { eventually } from "../fixtures/eventually.ts";
import { MemorySink, TestClock } from "../fixtures/telemetry.ts";

const clock = new TestClock();
const sink = new MemorySink();
const ages = new Ages(clock, createEventLog(clock, new LogOutput(sink)));
afterEach(() => ages.stop());

test("each certificate and list is told of once, when it ends and not before; what had ended is not told again", async () => {
  const certificate = { file: "/s.pem", use: "listener inbound", subject: "CN=s", isShown: true };
  const soonMs = clock.wall + 30;
  ages.follow({
    certificates: [
      { ...certificate, notAfterMs: soonMs },
      { ...certificate, subject: "CN=later", notAfterMs: clock.wall + 10 ** 9 },
      { ...certificate, subject: "CN=old authority", isShown: false, notAfterMs: clock.wall - 1 },
    ],
    revocationLists: [{ file: "/crl", use: "listener inbound client CRL", issuer: "CN=ca", nextUpdateMs: soonMs + 10 }],
  });
  expect([sink.lines, ages.hasExpired]).toEqual([[], false]);
  clock.wall = soonMs + 1;
  await eventually(() => sink.lines.length === 1);
  expect([sink.lines[0], ages.hasExpired]).toEqual([
    expect.objectContaining({ event: "expired", level: "error", msg: "a certificate has expired", subject: "CN=s" }),
    true,
  ]);
  clock.wall = soonMs + 11;
  await eventually(() => sink.lines.length === 2);
  expect(sink.lines[1]).toMatchObject({ event: "expired", issuer: "CN=ca" });
  ages.follow({ certificates: [], revocationLists: [] });
  expect([sink.lines.length, ages.hasExpired]).toEqual([2, false]);
});
