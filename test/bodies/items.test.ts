// Goal: of a stream that is accepted no reader finds another item than those that were judged, wherever it is cut.
// Method: streams of tokens that readers make different things of, and readers as services have them.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { framingOf } from "../../src/bodies/items/by-type.ts";
import { ItemReader, TOO_LARGE } from "../../src/bodies/items/reader.ts";
import { parseJson } from "../../src/bodies/json.ts";

/** Values of all items as JSON writes them; null where the stream is refused. */
function read(type: string, pieces: readonly Buffer[]): readonly string[] | null {
  const framing = framingOf(type)?.();
  if (framing === undefined) throw new Error(type);
  const reader = new ItemReader(framing, 10_000);
  const values: string[] = [];
  const add = (bytes: Buffer, isCut: boolean): boolean => {
    const item = framing.read(bytes, isCut);
    if (!item.ok) return false;
    if (item.value === null) return true;
    const parsed = "json" in item.value ? parseJson(item.value.json) : { ok: true as const, value: item.value.value };
    if (parsed.ok) values.push(JSON.stringify(parsed.value));
    return parsed.ok;
  };
  for (const piece of pieces) {
    reader.take(piece);
    for (let bytes = reader.next(); bytes !== null; bytes = reader.next())
      if (bytes === TOO_LARGE || !add(bytes, false)) return null;
  }
  const rest = reader.rest();
  return rest === null || add(rest, true) ? values : null;
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((start, index) => bytes.subarray(start, at[index] ?? bytes.length));
}

/** What is JSON of these, the rest skipped, as a service does that is lenient. */
function valuesOf(texts: readonly string[]): string[] {
  return texts.flatMap((text) => {
    try {
      return [JSON.stringify(JSON.parse(text))];
    } catch {
      return [];
    }
  });
}

/** Every value in a row, as Go's decoder reads them; it stops at what is none. */
function decoded(text: string): string[] {
  const values: string[] = [];
  for (let from = 0; from < text.length; ) {
    let end = from + 1;
    // The shortest text from here that is JSON and cannot go on as a number.
    while (end <= text.length && (valuesOf([text.slice(from, end)]).length === 0 || /^\d/.test(text.slice(end)))) end++;
    if (end > text.length) break;
    values.push(...valuesOf([text.slice(from, end)]));
    from = end;
  }
  return values;
}

const isWithin = (found: readonly string[], judged: readonly string[]): boolean => {
  let at = 0;
  for (const one of found) {
    at = judged.indexOf(one, at) + 1;
    if (at === 0) return false;
  }
  return true;
};

const COMMON = [
  '{"a":1}',
  "1",
  "[",
  "]",
  '"',
  "a",
  "\\",
  "\n",
  "\n",
  "\r",
  "\r\n",
  "\u2028",
  "\u2029",
  "\u0085",
  "\f",
  "\v",
];
const streams = (tokens: readonly string[]) =>
  fc.record({
    text: fc.array(fc.constantFrom(...tokens), { maxLength: 14 }).map((parts) => parts.join("")),
    places: fc.array(fc.nat(100), { maxLength: 5 }),
  });
const RUNS = { numRuns: 4000, seed: 9 };

describe("lines of JSON", () => {
  const READERS: Readonly<Record<string, (text: string) => string[]>> = {
    "Python's bytes": (text) => valuesOf(text.split("\n")),
    "Python's text": (text) => valuesOf(text.split(/\r\n|\r|\n/)),
    "Python's splitlines": (text) => valuesOf(text.split(/\r\n|[\r\n\v\f\u001c-\u001e\u0085\u2028\u2029]/)),
    "Node's readline": (text) => valuesOf(text.split(/\r\n|[\r\n\u2028\u2029]/)),
    "without a mark": (text) => valuesOf(text.replace(/^\ufeff/, "").split("\n")),
  };

  test("are the same to all readers", () => {
    let accepted = 0;
    fc.assert(
      fc.property(
        streams([...COMMON, "\u001e", "\ufeff", " ", ",", '{"a":1}\n', '"b\u2028c"\n']),
        ({ text, places }) => {
          const bytes = Buffer.from(text);
          const judged = read("application/x-ndjson", [bytes]);
          expect(read("application/x-ndjson", cut(bytes, places))).toEqual(judged);
          if (judged === null) return;
          accepted++;
          for (const [name, found] of Object.entries(READERS)) {
            const values = found(text);
            expect(isWithin(values, judged), `${name}: ${values} of ${judged}`).toBe(true);
          }
          expect(valuesOf(text.split("\n"))).toEqual(judged);
          expect(decoded(text)).toEqual(judged);
        },
      ),
      RUNS,
    );
    expect(accepted).toBeGreaterThan(300);
  });
});

describe("JSON text sequences", () => {
  test("are the same to who parts them at record separators", () => {
    let accepted = 0;
    const tokens = [...COMMON, "\u001e", "\u001e", "\u001e1\n", '\u001e{"a":1}\n', "\u001e[\n1]\n", "\ufeff", " "];
    fc.assert(
      fc.property(streams(tokens), ({ text, places }) => {
        const bytes = Buffer.from(text);
        const judged = read("application/json-seq", [bytes]);
        expect(read("application/json-seq", cut(bytes, places))).toEqual(judged);
        if (judged === null) return;
        accepted++;
        expect(valuesOf(text.split("\u001e"))).toEqual(judged);
        expect(decoded(text.replaceAll("\u001e", ""))).toEqual(judged);
      }),
      RUNS,
    );
    expect(accepted).toBeGreaterThan(100);
  });
});

describe("streams of events", () => {
  /** Data of each event, by the line ends that a reader knows; one that the end cuts off counts to the lenient. */
  const eventsOf = (text: string, ends: RegExp): string[] => {
    const events: string[] = [];
    let data: string[] = [];
    for (const line of [...text.split(ends), ""]) {
      const [, name = "", value = ""] = /^([^:]*)(?:: ?([\s\S]*))?$/.exec(line) ?? [];
      if (line === "" && data.length > 0) {
        events.push(data.join("\n"));
        data = [];
      } else if (name.toLowerCase().trim() === "data") data.push(value);
    }
    return events;
  };

  test("are the same to all readers", () => {
    let accepted = 0;
    const tokens = [
      "data",
      ":",
      " ",
      "a",
      "\n",
      "\n\n",
      "\r",
      "\r\n",
      "\u2028",
      "\u0085",
      "\v",
      "Data:",
      "data: b\n",
      "data:c\n\n",
      "id: 1\n",
      ": x\n",
      "\ufeff",
    ];
    fc.assert(
      fc.property(streams(tokens), ({ text, places }) => {
        const bytes = Buffer.from(text);
        const judged = read("text/event-stream", [bytes]);
        expect(read("text/event-stream", cut(bytes, places))).toEqual(judged);
        if (judged === null) return;
        accepted++;
        const data = judged.flatMap((one) => (JSON.parse(one) as { data?: string }).data ?? []);
        for (const ends of [/\r?\n/, /\r\n|\r|\n/, /\r\n|[\r\n\v\f\u001c-\u001e\u0085\u2028\u2029]/])
          expect(eventsOf(text, ends), String(ends)).toEqual(data);
      }),
      RUNS,
    );
    expect(accepted).toBeGreaterThan(100);
  });
});
