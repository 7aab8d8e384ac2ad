import { describe, expect, it } from "vitest";
import { ObjectMap } from "../../src/support/object-map.ts";

describe("a map by objects", () => {
  it("finds each of very many, and nothing else", () => {
    const map = new ObjectMap<number>();
    const objects = Array.from({ length: 70_000 }, (_, at) => ({ at }));
    for (const object of objects) map.add(object, object.at);
    expect(objects.every((object) => map.get(object) === object.at)).toBe(true);
    expect(map.get({ at: 0 })).toBeUndefined();
  });

  it("tells a value that is falsy from none", () => {
    const map = new ObjectMap<number>();
    const object = {};
    map.add(object, 0);
    expect(map.get(object)).toBe(0);
  });
});
