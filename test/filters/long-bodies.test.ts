import { expect, test } from "vitest";
import { LongBodies } from "../../src/filters/validate/long-bodies.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { createExchange } from "../fixtures/route-context.ts";

/** Bodies of clients, and in what order they are judged; each ends when it is told to. */
class Line {
  readonly #bodies = new LongBodies();
  readonly begun: string[] = [];
  readonly #ends: (() => void)[] = [];

  add(name: string, peer: string): { exchange: Exchange; verdict: Promise<string> } {
    const exchange = createExchange({ peer });
    const verdict = this.#bodies.judge(exchange, "left", async () => {
      this.begun.push(name);
      await new Promise<void>((resolve) => this.#ends.push(resolve));
      return name;
    });
    return { exchange, verdict };
  }

  /** Ends the one that is being judged, and lets the next begin. */
  async endOne(): Promise<void> {
    this.#ends.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("clients take turns: who sends many long bodies holds up itself", async () => {
  const line = new Line();
  for (const name of ["a1", "a2", "a3"]) line.add(name, "192.0.2.1");
  for (const name of ["b1", "b2"]) line.add(name, "192.0.2.2");
  for (let at = 0; at < 5; at++) await line.endOne();
  expect(line.begun).toEqual(["a1", "a2", "b1", "a3", "b2"]);
});

test("the body of a client that has left is given up at once, and the next ones are judged", async () => {
  const line = new Line();
  line.add("first", "192.0.2.1");
  const gone = line.add("gone", "192.0.2.2");
  const other = line.add("other", "192.0.2.2");
  gone.exchange.end();
  await expect(gone.verdict).resolves.toBe("left");
  await line.endOne();
  await line.endOne();
  await expect(other.verdict).resolves.toBe("other");
  expect(line.begun).toEqual(["first", "other"]);
});

test("one that fails holds nobody up", async () => {
  const bodies = new LongBodies();
  const failing = bodies.judge(createExchange(), "left", () => Promise.reject(new Error("broken")));
  const next = bodies.judge(createExchange(), "left", () => Promise.resolve("judged"));
  await expect(failing).rejects.toThrow("broken");
  await expect(next).resolves.toBe("judged");
});
