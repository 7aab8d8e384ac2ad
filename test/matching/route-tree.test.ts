import { describe, expect, test } from "vitest";
import { buildRouteTree, findShadowed, type RoutePattern } from "../../src/matching/route-tree.ts";
import { cpuMs } from "../fixtures/cpu-time.ts";

/** `GET,POST host/path`, methods and host optional. */
function route(text: string): RoutePattern & { readonly text: string } {
  const [, methods = "", host = "", template = ""] = /^(?:([A-Z,]+) )?([^/]*)(\/.*)$/.exec(text) ?? [];
  return { text, template, methods: methods === "" ? [] : methods.split(","), hosts: host === "" ? [] : [host] };
}

function matcher(...routes: string[]): (request: string) => string {
  const tree = buildRouteTree(routes.map(route));
  return (request) => {
    const [method = "", target = ""] = request.split(" ");
    const slash = target.indexOf("/");
    const match = tree.match(target.slice(0, slash), method, target.slice(slash));
    if (match.kind === "not_found") return "none";
    if (match.kind === "method_not_allowed") return `allow ${match.allow}`;
    return [match.route.text, ...match.params].join(" ");
  };
}

describe("paths", () => {
  test("static text wins over a parameter and a parameter over **, in any order of the routes", () => {
    const routes = ["/**", "/a/**", "/a/{x}", "/a/b", "/{x}/b"];
    for (const ordered of [routes, routes.toReversed()]) {
      const match = matcher(...ordered);
      expect(match("GET /a/b")).toBe("/a/b");
      expect(match("GET /a/c")).toBe("/a/{x} c");
      expect(match("GET /a/c/d")).toBe("/a/**");
      expect(match("GET /z/b")).toBe("/{x}/b z");
      expect(match("GET /z/c")).toBe("/**");
    }
  });

  test("a choice that leads nowhere is taken back", () => {
    const match = matcher("/a/{x}/c", "/a/b/{y}", "/a/b/c/d", "/{z}/b/c/e");
    expect(match("GET /a/b/c")).toBe("/a/b/{y} c");
    expect(match("GET /a/z/c")).toBe("/a/{x}/c z");
    expect(match("GET /a/b/c/d")).toBe("/a/b/c/d");
    expect(match("GET /a/b/c/e")).toBe("/{z}/b/c/e a");
    expect(match("GET /a/b/c/f")).toBe("none");
  });

  test("the first segment from the left that differs decides, not the number of static ones", () => {
    expect(matcher("/a/{x}/{y}/{z}", "/{w}/b/c/d")("GET /a/b/c/d")).toBe("/a/{x}/{y}/{z} b c d");
  });

  test("** matches no further segment, an empty one, or any number", () => {
    const match = matcher("/v0/**");
    for (const path of ["/v0", "/v0/", "/v0/a", "/v0/a/b", "/v0/a/"]) expect(match(`GET ${path}`)).toBe("/v0/**");
    for (const path of ["/", "/v", "/v00", "/v0x/a", "/V0"]) expect(match(`GET ${path}`)).toBe("none");
    expect(matcher("/**")("GET /")).toBe("/**");
    expect(matcher("/a/{x}/**")("GET /a/1")).toBe("/a/{x}/** 1");
    expect(matcher("/a/{x}/**")("GET /a")).toBe("none");
  });

  test("a path that ends where ** begins is the path's own before it is the **'s", () => {
    const match = matcher("/v0", "/v0/**", "/v0/");
    expect(match("GET /v0")).toBe("/v0");
    expect(match("GET /v0/")).toBe("/v0/");
    expect(match("GET /v0/a")).toBe("/v0/**");
  });

  test("a slash at the end makes no other place, unless both have a template", () => {
    const match = matcher("/a", "/b/", "/c/{x}", "/d", "/d/");
    expect(["/a", "/a/", "/b", "/b/", "/c/1", "/c/1/", "/d", "/d/"].map((path) => match(`GET ${path}`))).toEqual([
      "/a",
      "/a",
      "/b/",
      "/b/",
      "/c/{x} 1",
      "/c/{x} 1",
      "/d",
      "/d/",
    ]);
  });

  test("a strict route is not walked round by a slash at the end through an open one", () => {
    const match = matcher("GET /tree/admin", "/tree/**", "/user/{id}", "/user/**", "/**");
    expect(match("GET /tree/admin/")).toBe("GET /tree/admin");
    expect(match("POST /tree/admin/")).toBe("allow GET, HEAD");
    expect(match("GET /user/7/")).toBe("/user/{id} 7");
    expect(match("GET /user/7/8/")).toBe("/user/**");
    expect(match("GET /tree/")).toBe("/tree/**");
  });

  test("a parameter is never empty", () => {
    const match = matcher("/a/{x}", "/b/{x}/c");
    expect(match("GET /a/")).toBe("none");
    expect(match("GET /b//c")).toBe("none");
  });

  test("parameters are given as they stand in the path", () => {
    const match = matcher("/a/{x}/{y}");
    expect(match("GET /a/caf%C3%A9/%2541%3B")).toBe("/a/{x}/{y} caf%C3%A9 %2541%3B");
  });

  test("routes without parameters share one empty list", () => {
    const tree = buildRouteTree([route("/a")]);
    const match = tree.match("", "GET", "/a");
    expect(match).toEqual({ kind: "found", route: route("/a"), params: [] });
    expect(match.kind === "found" && Object.isFrozen(match.params)).toBe(true);
  });

  test("names that objects inherit are ordinary segments and parameters", () => {
    const match = matcher("/__proto__/x", "/constructor", "/p/{__proto__}/{constructor}");
    expect(match("GET /__proto__/x")).toBe("/__proto__/x");
    expect(match("GET /__proto__")).toBe("none");
    expect(match("GET /constructor")).toBe("/constructor");
    expect(match("GET /toString")).toBe("none");
    expect(match("GET /p/1/2")).toBe("/p/{__proto__}/{constructor} 1 2");
  });

  test("text longer than one node holds", () => {
    const long = "x".repeat(700);
    const match = matcher(`/${long}/a`, `/${long}/b`, `/${long.slice(1)}`);
    expect(match(`GET /${long}/b`)).toBe(`/${long}/b`);
    expect(match(`GET /${long.slice(1)}`)).toBe(`/${long.slice(1)}`);
    expect(match(`GET /${long}`)).toBe("none");
  });

  test("many children of one place are all found", () => {
    const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()+,=:@"];
    const paths = letters.filter((letter) => letter !== ".").map((letter) => `/${letter}`);
    const match = matcher(...paths);
    for (const path of paths) expect(match(`GET ${path}`)).toBe(path);
    expect(match("GET /%41")).toBe("none");
  });

  test("a template that does not parse is never left out silently", () => {
    expect(() => buildRouteTree([route("/admin/*")])).toThrow("/admin/*");
  });
});

describe("methods", () => {
  test("the most specific path owns the request: another method does not fall through to a broader route", () => {
    const match = matcher("GET /v1/orders", "/**", "DELETE /v1/{x}");
    expect(match("GET /v1/orders")).toBe("GET /v1/orders");
    expect(match("POST /v1/orders")).toBe("allow GET, HEAD");
    expect(match("DELETE /v1/orders")).toBe("allow GET, HEAD");
    expect(match("GET /v1/others")).toBe("allow DELETE");
    expect(match("POST /v2")).toBe("/**");
  });

  test("a route that names the method wins over one that takes any", () => {
    for (const routes of [
      ["/a", "GET /a"],
      ["GET /a", "/a"],
    ]) {
      const match = matcher(...routes);
      expect(match("GET /a")).toBe("GET /a");
      expect(match("POST /a")).toBe("/a");
    }
  });

  test("a route without methods takes the usual ones, and no other that a service may know", () => {
    const match = matcher("/a", "PROPFIND /a/{x}", "/b", "PURGE /b");
    const usual = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    for (const method of usual) expect(match(`${method} /a`)).toBe("/a");
    for (const method of ["PROPFIND", "COPY", "MOVE", "PURGE", "QUERY", "LINK", "get"]) {
      expect(match(`${method} /a`)).toBe("allow DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");
    }
    expect(match("PROPFIND /a/1")).toBe("PROPFIND /a/{x} 1");
    expect(match("GET /b")).toBe("/b");
    expect(match("PURGE /b")).toBe("PURGE /b");
    expect(match("COPY /b")).toBe("allow DELETE, GET, HEAD, OPTIONS, PATCH, POST, PURGE, PUT");
  });

  test("HEAD passes GET's gates unless a route names it", () => {
    expect(matcher("GET /a", "/a")("HEAD /a")).toBe("GET /a");
    expect(matcher("GET /a", "HEAD /a")("HEAD /a")).toBe("HEAD /a");
    expect(matcher("HEAD,POST /a")("GET /a")).toBe("allow HEAD, POST");
    expect(matcher("POST /a")("HEAD /a")).toBe("allow POST");
    expect(matcher("/a")("HEAD /a")).toBe("/a");
  });

  test("methods are case-sensitive, and names that objects inherit are not methods", () => {
    const match = matcher("GET /a");
    for (const method of ["get", "Get", "GET ", "__proto__", "constructor", ""]) {
      expect(buildRouteTree([route("GET /a")]).match("", method, "/a")).toEqual({
        kind: "method_not_allowed",
        allow: "GET, HEAD",
        route: route("GET /a"),
      });
    }
    expect(match("PUT /a")).toBe("allow GET, HEAD");
  });

  test("a method named * is one method and not all of them", () => {
    const own = { template: "/a", hosts: [] };
    const both = buildRouteTree([
      { ...own, methods: ["!", "*"] },
      { ...own, methods: ["!"], template: "/b" },
      { ...own, methods: [], template: "/b" },
    ]);
    expect(both.match("", "GET", "/a").kind).toBe("method_not_allowed");
    expect(both.match("", "GET", "/b").kind).toBe("found");
  });

  test("Allow lists the methods of all routes of the place, sorted", () => {
    const match = matcher("PUT /a/{x}", "GET,DELETE /a/{y}", "PATCH /a/{z}/b");
    expect(match("POST /a/1")).toBe("allow DELETE, GET, HEAD, PUT");
    expect(match("PUT /a/1")).toBe("PUT /a/{x} 1");
    expect(match("GET /a/1")).toBe("GET,DELETE /a/{y} 1");
  });
});

describe("hosts", () => {
  test("an exact name wins over wildcards from long to short, and those over any", () => {
    const match = matcher("/x", "*.example.org/x", "*.api.example.org/x", "v1.api.example.org/x");
    expect(match("GET v1.api.example.org/x")).toBe("v1.api.example.org/x");
    expect(match("GET v2.api.example.org/x")).toBe("*.api.example.org/x");
    expect(match("GET a.b.api.example.org/x")).toBe("*.api.example.org/x");
    expect(match("GET api.example.org/x")).toBe("*.example.org/x");
    for (const host of ["example.org", "xexample.org", "example.org.evil.test", "", ".example.org", "[::1]"]) {
      expect(match(`GET ${host}/x`)).toBe("/x");
    }
  });

  test("the host decides before the path does, and a host without the path leaves it to broader ones", () => {
    const match = matcher("a.test/**", "/health", "b.test/b", "/b");
    expect(match("GET a.test/health")).toBe("a.test/**");
    expect(match("GET b.test/health")).toBe("/health");
    expect(match("GET b.test/b")).toBe("b.test/b");
    expect(match("GET c.test/b")).toBe("/b");
  });

  test("a host's path owns its methods before broader hosts do", () => {
    const match = matcher("GET a.test/b", "POST /b");
    expect(match("POST a.test/b")).toBe("allow GET, HEAD");
    expect(match("POST c.test/b")).toBe("POST /b");
  });

  test("a final dot does not walk round a host's routes", () => {
    const match = matcher("a.test/b", "*.c.test/b", "/b");
    expect(match("GET a.test./b")).toBe("a.test/b");
    expect(match("GET x.c.test./b")).toBe("*.c.test/b");
  });

  test("a host of a thousand labels costs no more than the patterns are long", () => {
    const tree = buildRouteTree([route("*.example.org/b")]);
    const host = "a.".repeat(15_000);
    const started = cpuMs();
    for (let count = 0; count < 100; count++)
      expect(tree.match(`${host}example.com`, "GET", "/b").kind).toBe("not_found");
    expect(tree.match(`${host}example.org`, "GET", "/b").kind).toBe("found");
    expect(cpuMs() - started).toBeLessThan(500);
  });
});

test("a table made for backtracking costs no more than its size", () => {
  // At every depth both the static segment and the parameter lead on, and only the last segment tells.
  const depth = 12;
  const templates = Array.from({ length: 2 ** depth }, (_, bits) =>
    Array.from({ length: depth }, (_, at) => ((bits >> at) & 1 ? "/a" : `/{p${at}}`)).join(""),
  );
  const tree = buildRouteTree(templates.map((template) => route(`${template}/end`)));
  const path = `${"/a".repeat(depth)}/fin`;
  const started = cpuMs();
  for (let count = 0; count < 20; count++) expect(tree.match("", "GET", path).kind).toBe("not_found");
  expect(cpuMs() - started).toBeLessThan(1000);
  const deep = buildRouteTree([route(`${"/{x}/a".replace("x", "x0")}${"/b".repeat(400)}`), route("/**")]);
  expect(deep.match("", "GET", "/a".repeat(10_000)).kind).toBe("found");
});

describe("routes that can never match", () => {
  const shadowed = (...routes: string[]) =>
    [...findShadowed(routes.map(route))]
      .filter((each) => each !== null)
      .map((each) => [each.route.text, each.by.text, each.host, each.methods.join()]);

  test("two routes that claim one method of one place are reported once, the later under the earlier", () => {
    expect(shadowed("GET /a/{x}", "GET,PUT /a/{y}", "PUT /a/z")).toEqual([
      ["GET,PUT /a/{y}", "GET /a/{x}", "*", "GET"],
    ]);
    expect(shadowed("/a", "/b", "/a")).toEqual([["/a", "/a", "*", ""]]);
    expect(shadowed("GET a.test/x", "GET /x", "GET b.test/x", "GET a.test/x")).toEqual([
      ["GET a.test/x", "GET a.test/x", "a.test", "GET"],
    ]);
  });

  test("more specific and broader routes, other methods and any-method routes shadow nothing", () => {
    expect(
      shadowed("/**", "/a", "/{x}", "GET /a", "POST /a", "HEAD /a", "*.test/a", "x.test/a", "/a/", "/a/**"),
    ).toEqual([]);
  });

  test("where two routes claim the same, the earlier has it", () => {
    const match = matcher("GET /a/{x}", "GET,PUT /a/{y}");
    expect(match("GET /a/1")).toBe("GET /a/{x} 1");
    expect(match("PUT /a/1")).toBe("GET,PUT /a/{y} 1");
  });
});
