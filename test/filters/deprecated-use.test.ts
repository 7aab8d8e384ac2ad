// Goal: who still uses a deprecated route is known over restarts, in bounded memory, and no address pushes a caller out.
// Method: the book of the real resource, its folder in memory, a clock that is moved.
import { expect, test } from "vitest";
import { UseBook } from "../../src/filters/deprecated/use-book.ts";
import type { DeprecatedOutcome } from "../../src/message/deprecated-use.ts";
import type { AdminAnswer } from "../../src/resources/admin-room.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { MemoryFiles, testResources } from "../fixtures/outside.ts";
import { createExchange, createPrincipal } from "../fixtures/route-context.ts";

const NOW = Date.parse("2026-12-01T00:00:00Z");

async function started(files = new MemoryFiles()) {
  const time = new ManualTime(NOW);
  const registry = testResources({ clock: time, timers: time, files });
  const acquisition = registry.begin("/var/lib/postern");
  const book = acquisition.acquire("deprecated use", [], (world) => new UseBook(world));
  registry.follow(acquisition);
  await book.settled;
  return { time, registry, book, files };
}

function ask(book: UseBook, { time, caller, peer, outcome = "served" }: Asked): void {
  const principal = caller === undefined ? null : createPrincipal({ id: caller, key: `partners/${caller}` });
  const exchange = createExchange({ principal, ...(peer === undefined ? {} : { peer }) });
  exchange.deprecated = outcome;
  book.of("/v0/**").note(exchange, time.wallMs());
}

interface Asked {
  readonly time: ManualTime;
  readonly caller?: string;
  readonly peer?: string;
  readonly outcome?: DeprecatedOutcome;
}

async function shown(book: UseBook, query = ""): Promise<unknown> {
  const answer = await book.room.show(new URLSearchParams(query));
  return contentOf(answer);
}

function contentOf(answer: AdminAnswer): unknown {
  if (!answer.ok) throw new Error(answer.error.text);
  return answer.value["deprecated"] ?? answer.value;
}

test("callers are listed with what they did, who asked last first, and survive a restart", async () => {
  const first = await started();
  ask(first.book, { time: first.time, caller: "acme" });
  first.time.pass(60_000);
  ask(first.book, { time: first.time, caller: "globex", outcome: "excepted" });
  ask(first.book, { time: first.time, peer: "192.0.2.1", outcome: "brownout" });
  first.time.pass(DEFAULTS.deprecatedWriteMs);
  await first.book.settled;
  const second = await started(first.files);
  expect(await shown(second.book)).toEqual([
    {
      route: "/v0/**",
      requests: { served: 1, excepted: 1, brownout: 1, ended: 0 },
      callers: 3,
      used: [
        expect.objectContaining({
          key: "partners/globex",
          by: "caller",
          outcome: "excepted",
          last: "2026-12-01T00:01:00.000Z",
        }),
        expect.objectContaining({ key: "192.0.2.1", by: "address", outcome: "brownout" }),
        expect.objectContaining({ key: "partners/acme", requests: 1, first: "2026-12-01T00:00:00.000Z" }),
      ],
    },
  ]);
  expect(await shown(second.book, "key=partners%2Facme")).toMatchObject([
    { callers: 1, used: [{ key: "partners/acme" }] },
  ]);
});

test("a flood of addresses pushes no caller out, and takes no more than its room", async () => {
  const { book, time } = await started();
  ask(book, { time, caller: "acme" });
  for (let at = 0; at < 2 * DEFAULTS.deprecatedCallersMax; at++)
    ask(book, { time, peer: `10.0.${at >> 8}.${at & 255}` });
  const use = book.of("/v0/**");
  expect([...use.callers.keys()]).toEqual(["partners/acme"]);
  expect(use.addresses.size).toBe(DEFAULTS.deprecatedCallersMax);
  expect(use.counts.served).toBe(2 * DEFAULTS.deprecatedCallersMax + 1);
});

test("callers are forgotten one by one or all, and a word that is wrong says so", async () => {
  const { book, time } = await started();
  ask(book, { time, caller: "acme" });
  ask(book, { time, caller: "globex" });
  const forget = book.room.acts["forget"];
  if (forget === undefined) throw new Error("no such act");
  expect(await forget({ route: "/v0/**", key: "partners/nobody" })).toMatchObject({
    ok: false,
    error: { status: 404 },
  });
  expect(await forget({ route: "/v1/**", all: true })).toMatchObject({
    ok: false,
    error: { status: 404, text: /did you mean|expected one of/ },
  });
  expect(await forget({ route: "/v0/**" })).toMatchObject({ ok: false, error: { status: 400 } });
  expect(await forget({ route: "/v0/**", key: "partners/acme" })).toMatchObject({ ok: true, value: { forgotten: 1 } });
  expect(await forget({ all: true })).toMatchObject({ ok: true, value: { forgotten: 1 } });
});

test("a damaged file is set aside, and the book begins anew", async () => {
  const files = new MemoryFiles();
  const first = await started(files);
  ask(first.book, { time: first.time, caller: "acme" });
  first.registry.close();
  await first.book.settled;
  const [name = ""] = files.contents.keys();
  files.contents.set(name, Buffer.from("no state at all"));
  const second = await started(files);
  expect(files.aside).toEqual([name]);
  expect(await shown(second.book)).toEqual([]);
});
