import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LEAK_KINDS } from "../../src/leaks/catalogue.ts";
import { Blocked, HELD_BYTES_MAX, type Leak, type LeakFormat, LeakStream } from "../../src/leaks/leak-stream.ts";
import { Scanner } from "../../src/leaks/scanner.ts";
import { SAMPLES } from "./samples.ts";

const all = new Scanner(new Set(LEAK_KINDS));

interface Outcome {
  readonly out: string;
  readonly leaks: readonly string[];
}

/** What is left of a text that comes in these pieces, with all that is found masked. */
function masked(pieces: readonly Buffer[], format: LeakFormat, scanner = all): Outcome {
  const leaks: Leak[] = [];
  const stream = new LeakStream(scanner, format, (leak) => {
    leaks.push(leak);
    return "mask";
  });
  const parts = [...pieces.map((piece) => stream.take(piece)), stream.end()];
  const out = parts.map((part) => (part instanceof Blocked ? "BLOCKED" : part.toString("latin1"))).join("");
  return { out, leaks: leaks.map(({ kind, path }) => `${kind.name} /${path.join("/")}`) };
}

function cutAt(text: string, cuts: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text, "latin1");
  const places = [...new Set([0, ...cuts, bytes.length])].sort((a, b) => a - b);
  return places.slice(1).map((to, at) => bytes.subarray(places[at], to));
}

/** Around a sample, as texts of each format have it. */
const AROUND: readonly [LeakFormat, (text: string) => string][] = [
  ["text", (text) => `before ${text} behind`],
  ["json", (text) => JSON.stringify({ list: [{ id: 1, name: "x" }], field: text, more: [1, 2] })],
  [
    "json",
    (text) =>
      JSON.stringify({ field: text })
        .replaceAll("/", "\\/")
        .replace(/[0-9]/g, (digit) => `\\u003${digit}`),
  ],
  ["events", (text) => `event: x\ndata: {"id":1,\ndata: "field":${JSON.stringify(text)}}\n\ndata: {"id":2}\n\n`],
  ["events", (text) => `: hello\ndata:${text.replaceAll("\n", "\ndata: ")}\n\n`],
  ["csv", (text) => `id,field\n1,"${text.replaceAll('"', '""')}"\n2,x\n`],
  [
    "markup",
    (text) => `<p title="x">${text.replaceAll("&", "&amp;").replace(/[a-e]/g, (c) => `&#${c.charCodeAt(0)};`)}</p>`,
  ],
  ["form", (text) => `a=1&field=${encodeURIComponent(text).replaceAll("%20", "+")}&b=2`],
];

describe("a text is judged alike wherever it is cut", () => {
  for (const [format, around] of AROUND) {
    test(`every kind in ${around("…").replaceAll("\n", "⏎").slice(0, 50)}, at every border`, () => {
      for (const { kind, text } of SAMPLES) {
        const whole = around(text);
        const expected = masked([Buffer.from(whole, "latin1")], format);
        for (let cut = 1; cut < whole.length; cut++) {
          expect(masked(cutAt(whole, [cut]), format), `${kind} cut at ${cut}`).toEqual(expected);
        }
        expect(
          masked(
            cutAt(
              whole,
              [...whole].map((_, at) => at),
            ),
            format,
          ),
          `${kind} byte by byte`,
        ).toEqual(expected);
      }
    });
  }

  test("several in any order, cut anywhere", () => {
    const sample = fc.constantFrom(...SAMPLES.map(({ text }) => text));
    const filling = fc.stringMatching(/^[a-z0-9@:,. "{}\\-]{0,12}$/);
    const texts = fc.array(fc.oneof(sample, filling), { maxLength: 6 }).map((parts) => parts.join(" "));
    fc.assert(
      fc.property(
        texts,
        fc.array(fc.nat(600)),
        fc.constantFrom("text", "json", "events", "markup"),
        (text, cuts, format) => {
          const bounded = cuts.filter((cut) => cut < text.length);
          expect(masked(cutAt(text, bounded), format)).toEqual(masked([Buffer.from(text, "latin1")], format));
        },
      ),
      { numRuns: 300 },
    );
  });
});

test("nothing of a sample is left where it was masked", () => {
  for (const { kind, text, leaked } of SAMPLES) {
    const { out } = masked([Buffer.from(`x ${text} y`, "latin1")], "text");
    expect(out.includes(leaked), `${kind}: ${out}`).toBe(false);
  }
});

test("a text is judged alike wherever the middle of it is, at which its second half begins", () => {
  const around = "what an answer says in usual words, one behind the other, ".repeat(12);
  for (const { kind, text } of SAMPLES) {
    const near = masked([Buffer.from(`${around.slice(-58)}${text} ${around.slice(0, 58)}`, "latin1")], "text");
    for (let more = 0; more <= text.length + 20; more++) {
      const whole = `${around}${text} ${around.slice(0, around.length - text.length + 2 * more - 20)}`;
      expect(masked([Buffer.from(whole, "latin1")], "text").leaks, `${kind}, ${more}`).toEqual(near.leaks);
    }
  }
});

describe("what is held back", () => {
  test("nothing behind the end of a line, so that events and records leave as they come", () => {
    for (const { text } of SAMPLES.filter((sample) => !/PRIVATE KEY|PuTTY/.test(sample.text))) {
      const stream = new LeakStream(all, "events", () => "pass");
      const event = `data: ${text.replaceAll("\n", "\ndata: ")}\n\n`;
      expect(stream.take(Buffer.from(event, "latin1")).toString(), text).toBe(event);
    }
  });

  test("never more than a bound, whatever comes", () => {
    const begins = [
      "-----BEGIN ",
      "eyJ",
      "password=",
      "https://a:",
      "4111 ",
      "\\u00",
      "x@",
      '"d":"',
      "a".repeat(80),
      "&#",
      "%",
    ];
    const text = fc.array(fc.constantFrom(...begins), { minLength: 50, maxLength: 400 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(
        text,
        fc.constantFrom("text", "json", "events", "markup", "form"),
        fc.integer({ min: 1, max: 97 }),
        (long, format, size) => {
          const stream = new LeakStream(all, format, () => "mask");
          for (let at = 0; at < long.length; at += size) {
            stream.take(Buffer.from(long.slice(at, at + size), "latin1"));
            expect(stream.heldBytes).toBeLessThanOrEqual(HELD_BYTES_MAX);
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});

test("what nothing is found in leaves as the same bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.array(fc.nat(400)), (bytes, cuts) => {
      const text = Buffer.from(bytes).toString("latin1");
      const { out, leaks } = masked(
        cutAt(
          text,
          cuts.filter((cut) => cut < text.length),
        ),
        "json",
      );
      if (leaks.length === 0) expect(out).toBe(text);
    }),
  );
});
