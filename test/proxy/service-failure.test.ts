import { describe, expect, test } from "vitest";
import { mayFailHarmlessly, mayRepeat } from "../../src/proxy/service-failure.ts";

describe("a request that met a connection which the service had closed", () => {
  test.each(["GET", "HEAD", "OPTIONS", "QUERY", "PUT", "DELETE"])(
    "is sent again once, for %s is idempotent",
    (method) => {
      expect(mayFailHarmlessly("http/1.1", true, method)).toBe(true);
      expect(mayRepeat("closed", true, method, 0)).toBe(true);
      expect(mayRepeat("closed", true, method, 1)).toBe(false);
      expect(mayRepeat("closed", false, method, 0)).toBe(false);
    },
  );

  test.each(["POST", "PATCH", "query", "PURGE"])("is not sent again where it is a %s", (method) => {
    expect(mayRepeat("closed", true, method, 0)).toBe(false);
  });
});
