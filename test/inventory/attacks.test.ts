// Goal: nobody who only asks can flood the inventory, push out what the service has confirmed, or leave a secret in it.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stateFiles } from "../../src/daemon/state-files.ts";
import { Denial } from "../../src/decision/verdict.ts";
import { InventoryBook } from "../../src/inventory/book.ts";
import { entrySteps } from "../../src/inventory/entries.ts";
import { observedOf } from "../../src/inventory/entry-row.ts";
import { InventoryObserver } from "../../src/inventory/observer.ts";
import { kindOf } from "../../src/inventory/segment-kind.ts";
import type { FinishedRequest } from "../../src/records/make-facts.ts";
import { StateFolder } from "../../src/resources/state-folder.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { atOnce } from "../../src/support/turns.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { resourceWorld } from "../fixtures/resource-world.ts";
import type { RequestOptions } from "../fixtures/route-context.ts";
import { callerOf, finishedOf, MISSING, refusal } from "./kit.ts";

const NOW_MS = Date.UTC(2026, 10, 30);
const place = { file: "policy.yaml", line: 9, column: 5, path: "routes[0]" };
const ALL = { template: "/**", hosts: [], versions: [] };
const declared = { id: ALL, methods: [], place, isDeprecated: false, isUndeclared: false, isAnswered: false };
let root: string;
let warnings: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "postern-inventory-"));
  warnings = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function open(callersMax: number = DEFAULTS.inventoryCallers) {
  const time = new ManualTime(NOW_MS);
  const directory = join(root, "state");
  const warn = (file: string, text: string): void => void warnings.push(`${file}: ${text}`);
  const folder = new StateFolder(directory, stateFiles(directory, process.geteuid?.() ?? null), warn);
  const book = new InventoryBook(callersMax, resourceWorld({ clock: time, timers: time, folder }));
  const observer = new InventoryObserver(book, new Map([[place, declared]]), time);
  let waiting = 0;
  const ask = (options: RequestOptions, changes: Partial<FinishedRequest> = {}, isMatched = true): void => {
    observer.observe(finishedOf(options, changes), isMatched ? place : null);
    if (++waiting % 1000 === 0) time.pass(DEFAULTS.inventoryLearnMs);
  };
  const list = () => atOnce(entrySteps(book, [declared]));
  return { book, ask, list, time };
}

/** A word that nobody has thought of. */
function word(at: number): string {
  return `w${at.toString(26).replace(/\d/g, (digit) => "qrstuvwxyz"[Number(digit)] ?? "")}`;
}

test("a scan of a hundred thousand paths and methods leaves what is confirmed, and little else", () => {
  const { book, ask, list, time } = open();
  for (const path of ["/orders", "/orders/7", "/items/list"]) ask({ path });
  const finished = finishedOf({}, MISSING);
  const observer = new InventoryObserver(book, new Map([[place, declared]]), time);
  for (let at = 0; at < 100_000; at++) {
    const target = { path: `/${word(at)}/${word(at * 7)}/${at % 2 === 0 ? "" : `${at}.php`}`, query: "" };
    const method = at % 3 === 0 ? word(at).toUpperCase() : "GET";
    // A plain object in its place: a hundred thousand exchanges are the test's own cost.
    observer.observe(
      { ...finished, exchange: { ...finished.exchange, method, target } as never },
      at % 5 === 0 ? null : place,
    );
    if (at % 1000 === 999) time.pass(DEFAULTS.inventoryLearnMs);
  }
  const entries = list();
  expect(entries.filter(({ status }) => status === "undeclared").map(({ path }) => path)).toEqual([
    "/items/list",
    "/orders",
    "/orders/{number}",
  ]);
  expect(entries).toHaveLength(3 + DEFAULTS.inventoryProbedMax);
  expect(new Set(entries.map(({ method }) => method))).toEqual(new Set(["GET", "OTHER"]));
});

test("a service that answers everything makes a few templates, whoever asks", () => {
  const { ask, list } = open();
  for (let at = 0; at < 20_000; at++) ask({ path: `/${word(at)}/${word(at * 31)}/${word(at * 17)}` });
  const entries = list();
  expect(entries.map(({ path }) => path)).toEqual(["/{slug}/{slug2}/{slug3}"]);
  expect(entries[0]?.use?.requests).toBe(20_000);
});

test("templates without end have an end, and what has no room is counted", () => {
  const { book, ask, list } = open();
  const kinds = ["7", "2026-01-01", "x@example.org", "a+b", "0b54ad3b-9d6b-4f0e-8d9f-3f2a6f2a9c11", "wordy"];
  for (let at = 0; at < 20_000; at++) {
    const steps = Array.from({ length: 6 }, (_, step) => kinds[Math.floor(at / kinds.length ** step) % kinds.length]);
    ask({ path: `/${steps.join("/")}` });
  }
  expect(list().length).toBeLessThanOrEqual(DEFAULTS.inventoryLearntMax);
  expect(book.route(ALL).unlearnt).toBeGreaterThan(0);
  expect(book.route(ALL).requests).toBe(20_000);
});

test("a path of a thousand steps is cut", () => {
  const { ask, list } = open();
  ask({ path: `/a${"/b".repeat(1000)}` });
  expect(list()[0]?.path).toBe(`/a${"/b".repeat(DEFAULTS.inventoryStepsMax - 1)}/{rest}`);
});

test("callers by the thousand push each other out, and not the one of each day", () => {
  const { book, ask, list } = open(4);
  const daily = callerOf("daily");
  for (let at = 0; at < 10; at++) ask({ path: "/orders", principal: daily });
  for (let at = 0; at < 5000; at++) ask({ path: "/orders", principal: callerOf(`user-${at}`) });
  book.learn();
  const [entry] = list();
  expect(entry?.use?.callers.size).toBe(4);
  expect(entry?.use?.callers.get("partners/daily")?.requests).toBe(10);
  expect(entry?.use?.callersGone).toBe(4997);
  expect(entry?.use?.requests).toBe(5010);
});

test("callers that take turns in a full room are not told as more than they are", () => {
  const { book, ask, list } = open(2);
  for (let at = 0; at < 60; at++) ask({ path: "/orders", principal: callerOf(`user-${at % 3}`) });
  book.learn();
  const use = list()[0]?.use;
  if (use === undefined || use === null) throw new Error("the operation was not learnt");
  const { callers, callersMore, callersGone } = observedOf(use);
  expect([callers, callersMore]).toMatchObject([[{}, {}], 0]);
  expect(callersGone).toBeGreaterThan(3);
});

test("more requests at once than are looked at are counted without their paths", () => {
  const { book, list, time } = open();
  const observer = new InventoryObserver(book, new Map([[place, declared]]), time);
  for (let at = 0; at < 1500; at++) observer.observe(finishedOf({ path: "/orders" }), place);
  expect(list()[0]?.use?.requests).toBe(DEFAULTS.inventoryWaitingMax);
  expect(book.route(ALL)).toMatchObject({ requests: 1500, unlearnt: 1500 - DEFAULTS.inventoryWaitingMax });
});

const SECRETS = [
  "hunter2-S3cret!",
  "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2VjcmV0LXNpZ25hdHVyZQ",
  "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
  "5f4dcc3b5aa765d61d8327deb882cf99",
  "correcthorsebatterystaplexkcd",
  "alice@example.org",
  "4111111111111111",
  "aGVsbG8gd29ybGQgc2VjcmV0IQ==",
  "qWeRtYuIoPaSdFgHjKl",
];

test("no secret of a path, a query, a header or a body is in it, in memory's answers or on disk", async () => {
  const { book, ask, list, time } = open();
  book.start();
  await book.settled;
  for (const secret of SECRETS) {
    const headers = [
      ["Authorization", `Bearer ${secret}`],
      ["Cookie", secret],
    ] as const;
    const principal = callerOf("acme", { type: "jwt", claims: { email: secret, aud: secret } });
    const denial = new Denial("token_signature_invalid", place, secret, secret);
    const options = { path: `/reset/${encodeURI(secret)}/now`, query: `?key=${secret}`, headers, principal };
    ask(options);
    ask({ ...options, method: "POST" }, MISSING);
    ask({ ...options, method: "PUT" }, refusal(denial), false);
  }
  const told = JSON.stringify(list().map(({ path, use }) => [path, [...(use?.callers.keys() ?? [])]]));
  time.pass(DEFAULTS.inventoryWriteMs);
  await book.settled;
  const [file = ""] = readdirSync(join(root, "state"));
  const written = readFileSync(join(root, "state", file), "utf8");
  expect(written).toContain("partners/acme");
  for (const secret of SECRETS) for (const text of [told, written]) expect(text).not.toContain(encodeURI(secret));
});

test("names that act on a terminal, or that are too long, are neither", () => {
  const { ask, list } = open();
  ask({ path: "/orders", principal: callerOf(`\u001b]0;owned\u0007\u202e${"x".repeat(500)}`) });
  const [name = ""] = list()[0]?.use?.callers.keys() ?? [];
  expect(name).not.toMatch(/[\x00-\x1f\u202e]/);
  expect(name.length).toBeLessThanOrEqual(DEFAULTS.inventoryCallerCharsMax + 1);
});

test("what there is survives a restart, and adds up", async () => {
  const first = open();
  first.book.start();
  await first.book.settled;
  for (const path of ["/orders/7", "/orders/8"]) first.ask({ path, principal: callerOf("acme") });
  first.ask({ path: "/orders", method: "DELETE" }, MISSING);
  first.book.close();
  await first.book.settled;
  const second = open();
  second.ask({ path: "/orders/9", principal: callerOf("acme") });
  second.book.start();
  await second.book.settled;
  const shown = second.list().map(({ status, method, path, use }) => [status, method, path, use?.requests]);
  expect(shown).toEqual([
    ["probed", "DELETE", "/orders", 1],
    ["undeclared", "GET", "/orders/{number}", 3],
  ]);
  const caller = second.list()[1]?.use?.callers.get("partners/acme");
  expect(caller).toMatchObject({ requests: 3, firstMs: NOW_MS });
  expect(warnings).toEqual([]);
});

test("a damaged file is a warning and a fresh beginning", async () => {
  const first = open();
  first.book.start();
  await first.book.settled;
  first.ask({ path: "/orders" });
  first.book.close();
  await first.book.settled;
  const [file = ""] = readdirSync(join(root, "state"));
  writeFileSync(join(root, "state", file), `${readFileSync(join(root, "state", file), "utf8")}more`);
  const second = open();
  second.book.start();
  await second.book.settled;
  expect(second.list().map(({ status }) => status)).toEqual(["dead"]);
  expect(warnings.join()).toContain("damaged; it is set aside, and begun anew");
});

test.each([
  ["number", ["7", "-1.5", "20261130"]],
  ["uuid", ["0b54ad3b-9d6b-4f0e-8d9f-3f2a6f2a9c11"]],
  ["hash", ["5f4dcc3b5aa765d61d8327deb882cf99", "507f1f77bcf86cd799439011"]],
  ["date", ["2026-11-30", "2026-11", "2026-11-30T12:00:00Z"]],
  ["ulid", ["01ARZ3NDEKTSV4RRFFQ69G5FAV"]],
  ["email", ["a@example.org", "a%40example.org"]],
  ["token", ["sk_live_4eC39HqLyjWDarjtT1zdp7dc", "correcthorsebatterystaplexkcd", "a".repeat(10_000)]],
  ["text", ["a1b2c3", "caf%C3%A9", "x;y=1", "hunter2x"]],
  [null, ["orders", "order-items", "v1", "v2.1", "listOrders", ".well-known", "index.php", "oauth2", "_search"]],
] as const)("a step is %s", (kind, segments) => {
  for (const segment of segments) expect([segment, kindOf(segment)]).toEqual([segment, kind]);
});
