// Goal: the section says what it can, wrong settings are told by their line, and what was learnt outlives policies and processes.
// Method: real policies from memory; requests as the proxy tells of them; a state folder in memory.
import { beforeEach, expect, test } from "vitest";
import { AnomalyBook } from "../../src/anomalies/book.ts";
import { Denial } from "../../src/decision/verdict.ts";
import type { Snapshot } from "../../src/policy/snapshot.ts";
import { StateFolder } from "../../src/resources/state-folder.ts";
import { atOnce } from "../../src/support/turns.ts";
import { AnomalyWorld, HOUR_MS, MINUTE_MS } from "../fixtures/anomaly-world.ts";
import { MemoryFiles } from "../fixtures/outside.ts";
import { finishedOf, note, refusal } from "../inventory/kit.ts";
import { policyWith, problemsOf, snapshotOf, warningsOf } from "../policy/policy-kit.ts";

const SECRET = `whsec_${Buffer.alloc(32, 65).toString("base64")}`;
const policy = (section: string): string =>
  policyWith(`anomalies: ${section}\nroutes: [{ path: '/orders/{id}', public: true }]`);
const HOOK = (more: string): string => policy(`{ webhook: { url: 'https://hooks.example.org', ${more} } }`);

test.each([
  ["{}"],
  ["{ sensitivity: high, learn: 7d, kinds: { path_scan: low, new_caller: off } }"],
  ["{ webhook: { url: 'https://hooks.example.org/a', secret: { file: secret }, timeout: 2s } }"],
])("%s", async (section) => {
  expect(await problemsOf(policy(section), { secret: SECRET })).toEqual([]);
});

test("what is wrong is told by its line, and a secret by nothing of it", async () => {
  expect(await problemsOf(policy("{ kinds: { path_scam: low } }"))).toEqual([
    "6:23 unknown key 'path_scam'; did you mean 'path_scan'?",
  ]);
  expect(await problemsOf(policy("{ learn: 10m }"))).toEqual(["6:21 expected 1h to 30d"]);
  const short = await problemsOf(HOOK("secret: { file: secret }"), { secret: "whsec_QUJD" });
  expect(short.join()).toMatch(/a secret of 3 bytes; expected 24 to 64/);
  expect(short.join()).not.toContain("QUJD");
  expect((await problemsOf(HOOK("secret: { file: none }"))).join()).toContain("does not exist");
  const clear = policy("{ webhook: { url: 'http://hooks.example.org', secret: { file: secret } } }");
  expect((await problemsOf(clear, { secret: SECRET })).join()).toContain("in the clear");
  const off = policy(
    "{ kinds: { error_rate: off, denial_burst: off, new_caller: off, unusual_size: off, unusual_time: off, path_scan: off, id_enumeration: off, credential_stuffing: off, replay: off } }",
  );
  expect((await warningsOf(off)).join()).toContain("all kinds are off");
});

test("a policy without the section has nobody who watches", async () => {
  const snapshot = await snapshotOf(policyWith("routes: [{ path: /, public: true }]"));
  expect(snapshot.records?.anomalies ?? null).toBe(null);
  expect([...snapshot.resources.values()].filter(({ kind }) => kind === "anomalies")).toEqual([]);
});

function bookOf(snapshot: Snapshot): AnomalyBook {
  const book = [...snapshot.resources.values()].find((one) => one instanceof AnomalyBook);
  if (book === undefined) throw new Error("no book");
  return book;
}

test("what is told can be listed, and accepted; kinds that are off are silent", async () => {
  for (const [kinds, count] of [
    ["{}", 1],
    ["{ path_scan: off }", 0],
  ] as const) {
    const snapshot = await snapshotOf(policy(`{ kinds: ${kinds} }`));
    const told: unknown[] = [];
    snapshot.records?.anomalies?.inForce((row) => void told.push(row));
    const denial = refusal(new Denial("route_not_found", null, "", ""));
    for (let at = 0; at < 30; at++) note(snapshot, null, finishedOf({ path: `/x${at}` }, { ...denial, status: 404 }));
    atOnce(bookOf(snapshot).judgeSteps());
    expect(told).toHaveLength(count);
    const room = snapshot.records?.rooms.find(({ path }) => path === "/anomalies");
    const list = await room?.show(new URLSearchParams("kind=path_scan"));
    expect(list).toMatchObject({ ok: true, value: { active: count, learning: true } });
    expect(await room?.show(new URLSearchParams("kind=scan"))).toMatchObject({ ok: false });
    if (count === 0) continue;
    const accept = room?.acts["accept"];
    expect(await accept?.({ kind: "path_scan" })).toMatchObject({ ok: false, error: { status: 400 } });
    expect(await accept?.({ kind: "path_scan", key: "path_scan-1" })).toMatchObject({
      ok: false,
      error: { status: 404 },
    });
    // What is no text must not stand for all of them.
    for (const odd of [{ kind: 5 }, { key: ["path_scan-1"] }])
      expect(await accept?.({ all: true, ...odd })).toMatchObject({ ok: false, error: { status: 400 } });
    expect(await accept?.({ all: true })).toMatchObject({ ok: true, value: { accepted: 1 } });
    // As much again is as it should be; more than twice as much is not.
    for (let at = 30; at < 55; at++) note(snapshot, null, finishedOf({ path: `/x${at}` }, { ...denial, status: 404 }));
    atOnce(bookOf(snapshot).judgeSteps());
    expect(told).toHaveLength(2);
    for (let at = 55; at < 80; at++) note(snapshot, null, finishedOf({ path: `/x${at}` }, { ...denial, status: 404 }));
    atOnce(bookOf(snapshot).judgeSteps());
    expect(told).toHaveLength(3);
  }
});

let files: MemoryFiles;
beforeEach(() => {
  files = new MemoryFiles();
});

function world(): AnomalyWorld {
  const folder = new StateFolder("/state", files, () => {});
  return new AnomalyWorld(["/orders/{id}", "/admin"], { world: { folder } });
}

test("what was learnt is there after a restart, and a damaged file is a fresh beginning", async () => {
  const first = world();
  first.book.start();
  await first.book.settled;
  for (let at = 0; at < 4 * 24 * 6; at++) {
    first.ask({ route: "/admin", caller: "keys/boss", from: "192.0.2.1" });
    for (let one = 0; one < 12; one++) {
      first.ask({ route: "/orders/{id}", params: [`${one}`], caller: `keys/user-${one % 3}`, from: "192.0.2.1" });
    }
    first.pass(10 * MINUTE_MS);
  }
  first.book.close();
  await first.book.settled;
  const [content = Buffer.alloc(0)] = files.contents.values();
  expect(content.toString()).toContain('"caller":"keys/boss"');

  const second = world();
  second.nowMs = first.nowMs;
  second.to(second.nowMs);
  second.book.start();
  await second.book.settled;
  expect(second.book.sinceMs).toBe(first.book.sinceMs);
  expect(second.book.operations.get("GET /admin")?.callers.known.size).toBe(1);
  expect(second.book.callers.established.size).toBe(4);
  second.ask({ route: "/admin", caller: "keys/boss", from: "192.0.2.1" });
  second.pass(20_000);
  expect(second.told).toEqual([]);
  second.ask({ route: "/admin", caller: "keys/user-1", from: "192.0.2.1" });
  second.pass(20_000);
  expect(second.begun()).toMatchObject([{ kind: "new_caller", caller: "keys/user-1", operation: "GET /admin" }]);

  for (const name of files.contents.keys()) files.contents.set(name, Buffer.from('{"seed":"x"}\n'));
  const third = world();
  third.book.start();
  await third.book.settled;
  expect(third.book.operations.size).toBe(0);
  third.ask({ route: "/admin", caller: "keys/boss" });
  third.pass(HOUR_MS);
  expect(third.book.status().state).toBe("ready");
});
