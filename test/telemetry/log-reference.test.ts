// Goal: docs/log-fields.md has every field that is written, and its examples are values of their type. Method: the tables that
// write lines against the table that explains them; test/fixtures/telemetry.ts holds each line of every test to the same.
import { expect, test } from "vitest";
import { DENIAL_FIELDS, NOTE_FIELDS, USUAL_FIELDS } from "../../src/telemetry/access-fields.ts";
import { EVENTS } from "../../src/telemetry/event-log.ts";
import { ACCESS_FIELDS, COMMON_FIELDS } from "../../src/telemetry/log-reference.ts";
import { EVENT_FIELDS, EVENTS_TOLD, type FieldDoc } from "../../src/telemetry/log-reference-events.ts";
import { MemorySink } from "../fixtures/telemetry.ts";

const OWN = ["slow", "sampleRatio"];

test("every field of a request's line is explained, and no other", () => {
  const written = [USUAL_FIELDS, DENIAL_FIELDS, NOTE_FIELDS].flatMap((table) => Object.keys(table));
  expect(Object.keys(ACCESS_FIELDS).toSorted()).toEqual([...written, ...OWN].toSorted());
});

test("every event is explained, and every field of one", () => {
  expect(Object.keys(EVENTS_TOLD).toSorted()).toEqual([...EVENTS].toSorted());
  const named = new Set(Object.values(EVENTS_TOLD).flatMap(({ fields }) => fields));
  expect([...named, "msg", "repeated"].toSorted()).toEqual(Object.keys(EVENT_FIELDS).toSorted());
});

test("examples are of their field's type", () => {
  const typeOf = (value: unknown): FieldDoc["type"] =>
    Array.isArray(value)
      ? "list"
      : typeof value === "string"
        ? "text"
        : typeof value === "number" || typeof value === "boolean"
          ? (typeof value as "number" | "boolean")
          : "object";
  for (const [name, { type, example }] of Object.entries({ ...COMMON_FIELDS, ...ACCESS_FIELDS, ...EVENT_FIELDS })) {
    const value: unknown = JSON.parse(example.replace("[…]", "[]"));
    expect(typeOf(value), name).toBe(type);
  }
});

test("a line with a field that nobody has explained does not pass", () => {
  const sink = new MemorySink();
  const line = (fields: object) => sink.write(JSON.stringify({ level: "info", time: "", ...fields }));
  expect(() => line({ event: "request", authorization: "x" })).toThrow(/authorization/);
  expect(() => line({ event: "stopped", extra: 1 })).toThrow(/extra/);
  line({ event: "stopped", requestsInFlight: 1, msg: "x" });
});
