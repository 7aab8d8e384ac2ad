import { beforeEach, describe, expect, test } from "vitest";
import { CONTINUE, Denial, type Verdict } from "../../src/decision/verdict.ts";
import { unlimitedMemory } from "../../src/memory/budget.ts";
import type { BodyFailure, BodySink } from "../../src/message/body.ts";
import type { BodyWatch } from "../../src/message/body-watch.ts";
import { WatchedBody } from "../../src/proxy/watched-body.ts";
import { createExchange, MemoryBody } from "../fixtures/route-context.ts";

/** A watch that answers when the test says so, and notes what it was shown. */
class SlowWatch implements BodyWatch {
  readonly ownBytes = 0;
  readonly shown: string[] = [];
  #answer: ((judged: number | Denial) => void) | null = null;
  #end: ((verdict: Verdict) => void) | null = null;

  scan(piece: Buffer): Promise<number | Denial> {
    this.shown.push(piece.toString());
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  }

  end(): Promise<Verdict> {
    this.shown.push("end");
    return new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  async says(judged: number | Denial): Promise<void> {
    this.#answer?.(judged);
    await new Promise((resolve) => setImmediate(resolve));
  }

  async ends(verdict: Verdict): Promise<void> {
    this.#end?.(verdict);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const REFUSED = new Denial("body_schema_mismatch", null, "seen", "wanted");

let passed: string[];
let denied: Denial[];
let resumed: number;
let watch: SlowWatch;
let wantsMore: boolean;
/** What else happens when the service takes something. */
let onTaken: () => void;
let body: WatchedBody;

function create(isEnforced: boolean, memory = unlimitedMemory()): WatchedBody {
  const source = new MemoryBody([]);
  Object.assign(source, { resume: () => resumed++ });
  const exchange = createExchange({ method: "POST", body: source });
  const sink: BodySink = {
    onBody: (chunk) => {
      passed.push(chunk.toString());
      onTaken();
      return wantsMore;
    },
    onBodyEnd: () => passed.push("end"),
    onBodyFailure: (failure: BodyFailure) => passed.push(failure),
  };
  return new WatchedBody(
    sink,
    { check: CHECK, watch, isEnforced },
    { exchange, deny: (denial) => denied.push(denial) },
    memory,
  );
}

const CHECK = { name: "validate", place: { file: "policy.yaml", line: 1, column: 1, path: "routes[0].validate" } };

beforeEach(() => {
  passed = [];
  denied = [];
  resumed = 0;
  wantsMore = true;
  onTaken = () => {};
  watch = new SlowWatch();
  body = create(true);
});

describe("a watch that takes its time", () => {
  test("stops the source meanwhile, and what came all the same waits in its order", async () => {
    expect(body.onBody(Buffer.from("one "))).toBe(false);
    expect(body.onBody(Buffer.from("two "))).toBe(false);
    expect(body.onBody(Buffer.from("three"))).toBe(false);
    expect([watch.shown, passed, resumed]).toEqual([["one "], [], 0]);
    await watch.says(1);
    expect([watch.shown, passed, resumed]).toEqual([["one ", "two three"], ["one"], 0]);
    await watch.says(0);
    expect([passed.join(""), resumed]).toEqual(["one two three", 1]);
  });

  test("keeps the order where the service has more come while it takes what was judged", async () => {
    body.onBody(Buffer.from("one "));
    body.onBody(Buffer.from("two "));
    onTaken = () => {
      onTaken = () => {};
      body.onBody(Buffer.from("three"));
    };
    await watch.says(0);
    await watch.says(0);
    await watch.says(0);
    expect(passed.join("")).toBe("one two three");
  });

  test("lets the service ask for more where it has enough", async () => {
    wantsMore = false;
    body.onBody(Buffer.from("one"));
    await watch.says(0);
    expect([passed, resumed]).toEqual([["one"], 0]);
  });

  test("is waited for at the end, too", async () => {
    body.onBody(Buffer.from("one"));
    body.onBodyEnd(null);
    expect(passed).toEqual([]);
    await watch.says(3);
    expect([watch.shown, passed]).toEqual([["one", "end"], []]);
    await watch.ends(CONTINUE);
    expect([passed, resumed]).toEqual([["one", "end"], 0]);
  });

  test("lets nothing more through once it refuses", async () => {
    body.onBody(Buffer.from("one"));
    body.onBody(Buffer.from("two"));
    await watch.says(REFUSED);
    body.onBody(Buffer.from("three"));
    body.onBodyEnd(null);
    expect([watch.shown, passed, denied]).toEqual([["one"], [], [REFUSED]]);
  });

  test("may refuse at the end", async () => {
    body.onBodyEnd(null);
    await watch.ends(REFUSED);
    expect([passed, denied]).toEqual([[], [REFUSED]]);
  });

  test("says nothing to anybody once the request is over", async () => {
    body.onBody(Buffer.from("one"));
    body.stop();
    await watch.says(REFUSED);
    expect([passed, denied, resumed]).toEqual([[], [], 0]);
  });

  test("hears nothing more of a client that left", async () => {
    body.onBody(Buffer.from("one"));
    body.onBodyFailure("client_closed");
    await watch.says(0);
    expect(passed).toEqual(["client_closed"]);
  });

  test("that only audits lets all of it pass, in its order", async () => {
    body = create(false);
    body.onBody(Buffer.from("one"));
    body.onBody(Buffer.from("two"));
    body.onBodyEnd(null);
    await watch.says(REFUSED);
    expect([passed.join(" "), denied]).toEqual(["one two end", []]);
  });

  test("that fails is a denial", async () => {
    const failing: BodyWatch = {
      ownBytes: 0,
      scan: () => Promise.reject(new Error("broken")),
      end: () => CONTINUE,
    };
    watch = failing as SlowWatch;
    body = create(true);
    body.onBody(Buffer.from("one"));
    await new Promise((resolve) => setImmediate(resolve));
    expect([passed, denied.map(({ reason }) => reason)]).toEqual([[], ["internal_error"]]);
  });
});
