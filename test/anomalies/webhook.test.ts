// Goal: who is told of anomalies can know that it was postern, and one that is away costs little. Method: a caller that says what
// it is told to say, and a clock that stands.
import { createHmac } from "node:crypto";
import { beforeEach, expect, test } from "vitest";
import type { AnomalyRow } from "../../src/anomalies/event-row.ts";
import { AnomalyWebhook, webhookSecret } from "../../src/anomalies/webhook.ts";
import type { CallAnswer, CallFault, CallRequest, CallSettings } from "../../src/calls/call.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { err, ok, type Result } from "../../src/support/result.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { resourceWorld } from "../fixtures/resource-world.ts";

const SECRET = Buffer.alloc(32, 7);
const ROW: AnomalyRow = {
  id: "path_scan-t1-1",
  kind: "path_scan",
  state: "begun",
  operation: null,
  policy: null,
  caller: null,
  client: "192.0.2.7",
  reason: null,
  seen: "many",
  expected: "few",
  members: 0,
  since: "2026-11-30T09:12:44.000Z",
  last: "2026-11-30T09:12:44.000Z",
  examples: [],
  advice: "look",
};
const AWAY: Result<CallAnswer, CallFault> = err({ kind: "connect_failed", text: "nobody listens there" });
const status = (code: number): Result<CallAnswer, CallFault> =>
  ok({ status: code, headers: {}, body: Buffer.alloc(0) });

let time: ManualTime;
let asked: CallRequest[];
let says: () => Result<CallAnswer, CallFault>;
let notes: string[];
let closed: boolean;
beforeEach(() => {
  time = new ManualTime(1_796_000_000_000);
  asked = [];
  says = () => status(204);
  notes = [];
  closed = false;
});

function open(): AnomalyWebhook {
  const openCaller = () => ({
    call: async (request: CallRequest) => {
      asked.push(request);
      return says();
    },
    close: () => {
      closed = true;
    },
  });
  const note = (_: unknown, text: string): void => void notes.push(text);
  const world = resourceWorld({ clock: time, timers: time, random: () => 1, openCaller, note });
  const call = {} as CallSettings;
  let ids = 0;
  const settings = { url: new URL("https://hooks.example.org/postern"), secret: SECRET, call, service: "orders" };
  const webhook = new AnomalyWebhook(settings, world, () => `id-${++ids}`);
  webhook.start();
  return webhook;
}

async function turns(): Promise<void> {
  for (let at = 0; at < 10; at++) await new Promise((resolve) => setImmediate(resolve));
}

test("a message is signed over its id, its time and its body", async () => {
  open().send(ROW);
  await turns();
  const [request] = asked;
  const { headers = {}, body = "", url } = request ?? {};
  expect(url?.href).toBe("https://hooks.example.org/postern");
  expect(JSON.parse(String(body))).toEqual({
    type: "anomaly.begun",
    timestamp: new Date(1_796_000_000_000).toISOString(),
    data: { service: "orders", ...ROW },
  });
  const signed = createHmac("sha256", SECRET)
    .update(`msg_id-1.1796000000.${String(body)}`)
    .digest("base64");
  expect(headers).toMatchObject({ "webhook-id": "msg_id-1", "webhook-timestamp": "1796000000" });
  expect(headers).toMatchObject({ "webhook-signature": `v1,${signed}` });
});

test("messages go one after the other, and one that was not taken goes again with its id and a newer time", async () => {
  const webhook = open();
  says = () => AWAY;
  webhook.send(ROW);
  webhook.send({ ...ROW, state: "ended" });
  await turns();
  expect(asked).toHaveLength(1);
  expect(webhook.status()).toMatchObject({ state: "failing", fault: { text: "nobody listens there" } });
  says = () => status(200);
  time.pass(DEFAULTS.anomalyWebhookBackoffMsMin);
  await turns();
  expect(asked.map(({ headers }) => headers["webhook-id"])).toEqual(["msg_id-1", "msg_id-1", "msg_id-2"]);
  expect(asked[1]?.headers["webhook-timestamp"]).not.toBe(asked[0]?.headers["webhook-timestamp"]);
  expect(webhook.status()).toMatchObject({ state: "ready", detail: "hooks.example.org: 2 messages sent" });
});

test("what is not taken after some tries, or never will be, is given up", async () => {
  const webhook = open();
  says = () => status(503);
  webhook.send(ROW);
  for (let tries = 0; tries < 12; tries++) {
    await turns();
    time.pass(DEFAULTS.anomalyWebhookBackoffMsMax);
  }
  expect(asked).toHaveLength(DEFAULTS.anomalyWebhookTriesMax);
  says = () => status(410);
  webhook.send(ROW);
  await turns();
  time.pass(DEFAULTS.anomalyWebhookBackoffMsMax);
  await turns();
  expect(asked).toHaveLength(DEFAULTS.anomalyWebhookTriesMax + 1);
  expect(webhook.status().detail).toContain("2 were lost");
});

test("the queue is bounded, and nothing comes to it after the end", async () => {
  const webhook = open();
  says = () => AWAY;
  for (let at = 0; at < DEFAULTS.anomalyWebhookWaitingMax + 5; at++) webhook.send(ROW);
  expect(webhook.status().detail).toContain("5 were lost");
  webhook.close();
  await turns();
  time.pass(DEFAULTS.anomalyWebhookBackoffMsMax);
  webhook.send(ROW);
  await turns();
  expect(asked).toHaveLength(1);
  expect(notes).toEqual([
    `${DEFAULTS.anomalyWebhookWaitingMax} messages wait as it ends; each is tried once more`,
    `${DEFAULTS.anomalyWebhookWaitingMax + 5} messages were lost`,
  ]);
});

test("what waits as it ends, as by a reload with another webhook, is sent all the same", async () => {
  const webhook = open();
  says = () => AWAY;
  webhook.send(ROW);
  webhook.send(ROW);
  await turns();
  says = () => status(204);
  webhook.close();
  await turns();
  expect(asked.map(({ headers }) => headers?.["webhook-id"])).toEqual(["msg_id-1", "msg_id-1", "msg_id-2"]);
  expect(closed).toBe(true);
  expect(notes).toEqual(["2 messages wait as it ends; each is tried once more"]);
});

test("check --online sends a message of a type of its own", async () => {
  expect(await open().tryOnce()).toEqual(ok("hooks.example.org takes messages"));
  expect(JSON.parse(String(asked[0]?.body))).toMatchObject({ type: "anomaly.test", data: { service: "orders" } });
  says = () => status(401);
  expect(await open().tryOnce()).toEqual(err("status 401"));
});

test("a secret is whsec_ and base64 of 24 to 64 bytes, and no problem tells any of it", () => {
  expect(webhookSecret(`whsec_${SECRET.toString("base64")}\n`)).toEqual(ok(SECRET));
  for (const text of [
    "hunter2hunter2",
    "whsec_",
    `whsec_${Buffer.alloc(8, 65).toString("base64")}`,
    `whsec_${"A".repeat(100)}`,
  ]) {
    const read = webhookSecret(text);
    expect(read.ok).toBe(false);
    if (!read.ok) expect(read.error).not.toMatch(/hunter2|QUFB|AAAA/);
  }
});
