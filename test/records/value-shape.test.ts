import { expect, test } from "vitest";
import { readShape, shapeOf } from "../../src/records/value-shape.ts";

test.each([
  ["", "empty"],
  ["0", "integer:1"],
  ["999", "integer:3"],
  ["-40", "integer:-2"],
  ["007", "text:8"],
  ["1234567890123456", "text:16"],
  ["3.14", "decimal:1"],
  ["-0.5", "decimal:-1"],
  ["true", "boolean"],
  ["0b6e2f6e-5a1f-4a9a-a8a5-2d9ce2b5a1f1", "uuid"],
  ["2026-11-30", "date"],
  ["2026-11-30T09:12:44.031Z", "date-time"],
  ["2026-11", "text:8"],
  ["2026-11-39", "text:16"],
  ["created_at", "name:16"],
  ["2f6e5a1f4a9a", "hash:16"],
  ["jane@example.org", "email:16"],
  ["' or 1=1 --", "text:16"],
  ["a".repeat(5_000), "token:8192"],
])("%s has the shape %s", (value, shape) => {
  expect(shapeOf(value)).toBe(shape);
  expect(readShape(shape)).not.toBe(null);
});

test("what is no shape is not read as one", () => {
  for (const text of ["", "secret", "integer:x", "name:1e9", "integer:1.5"]) expect(readShape(text)).toBe(null);
});
