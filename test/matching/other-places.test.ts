import { describe, expect, test } from "vitest";
import { buildRouteTree, type RoutePattern } from "../../src/matching/route-tree.ts";
import { canonicalTarget } from "../../src/message/target.ts";
import { cpuMs } from "../fixtures/cpu-time.ts";

/** `/path` or `host/path`; `!` before it: case-sensitive; `METHOD ` before it. */
function route(text: string): RoutePattern & { readonly text: string } {
  const [, method, mark, host = "", template = ""] = /^(?:([A-Z]+) )?(!?)([^/]*)(\/.*)$/.exec(text) ?? [];
  return {
    text,
    template,
    methods: method === undefined ? [] : [method],
    hosts: host === "" ? [] : [host],
    isCaseSensitive: mark === "!",
  };
}

/** The route that a raw target gets; `not ROUTE` where another reading of it has that one; or `none`. */
function matcher(...routes: string[]): (target: string) => string {
  const tree = buildRouteTree(routes.map(route));
  return (target) => {
    const slash = target.indexOf("/");
    const canonical = canonicalTarget(target.slice(slash));
    if (!canonical.ok) throw new Error(canonical.error.seen);
    const match = tree.match(target.slice(0, slash), "GET", canonical.value.path);
    if (match.kind === "found") return match.route.text;
    if (match.kind === "method_not_allowed") return `allow ${match.allow}`;
    return match.other === null ? "none" : `not ${match.other.route.text}`;
  };
}

describe("a path that is another route's but for the case", () => {
  test("is nobody's, whatever else would have taken it", () => {
    const match = matcher("/reports/all", "/reports/{id}", "/admin/**", "/**", "/users/{id}/keys", "/users/**");
    expect(match("/reports/all")).toBe("/reports/all");
    expect(match("/reports/7")).toBe("/reports/{id}");
    expect(match("/reports/ALL")).toBe("not /reports/all");
    expect(match("/Reports/7")).toBe("not /reports/{id}");
    for (const path of ["/Admin", "/Admin/x", "/aDMIN/x/y", "/ADMIN/"]) expect(match(path)).toBe("not /admin/**");
    expect(match("/users/7/KEYS")).toBe("not /users/{id}/keys");
    expect(match("/Users/7/x")).toBe("not /users/**");
  });

  test("is found where no more specific route has it in another case", () => {
    const match = matcher("/files/**", "/users/{name}", "/users/me", "/**");
    expect(match("/files/README.md")).toBe("/files/**");
    expect(match("/files/a/FILES")).toBe("/files/**");
    expect(match("/users/Alice")).toBe("/users/{name}");
    expect(match("/users/ME")).toBe("not /users/me");
    expect(match("/Other/x")).toBe("/**");
  });

  test("is told of where nothing else would have taken it, too", () => {
    expect(matcher("/health")("/Health")).toBe("not /health");
    expect(matcher("/health")("/else")).toBe("none");
  });

  test("is found by its own spelling where templates differ by nothing else", () => {
    const match = matcher("/Users/{id}", "/users/{id}", "/**");
    expect(match("/Users/7")).toBe("/Users/{id}");
    expect(match("/users/7")).toBe("/users/{id}");
    expect(match("/uSers/7")).toBe("not /Users/{id}");
  });

  test("is judged with templates in upper case for requests in lower case, too", () => {
    const match = matcher("/API/Keys", "/api/{what}", "/**");
    expect(match("/API/Keys")).toBe("/API/Keys");
    expect(match("/api/keys")).toBe("not /API/Keys");
    expect(match("/api/other")).toBe("/api/{what}");
    expect(match("/API/other")).toBe("not /api/{what}");
  });

  test("is one after unescaping, also beyond ASCII, and where letters fold into ASCII", () => {
    const match = matcher("/admin", "/b%C3%A4r", "/secret", "/ski", "/stra%C3%9Fe", "/%CE%A3%CE%BF%CF%82", "/**");
    const twins: readonly [string, string][] = [
      ["/%41dmin", "/admin"],
      ["/adm%C4%B0n", "/admin"],
      ["/adm%C4%B1n", "/admin"],
      ["/b%C3%84r", "/b%C3%A4r"],
      ["/ba%CC%88r", "/b%C3%A4r"],
      ["/BA%CC%88R", "/b%C3%A4r"],
      ["/%C5%BFecret", "/secret"],
      ["/s%E2%84%AAi", "/ski"],
      ["/stra%E1%BA%9Ee", "/stra%C3%9Fe"],
      ["/STRASSE", "/stra%C3%9Fe"],
      ["/%CF%83%CE%9F%CE%A3", "/%CE%A3%CE%BF%CF%82"],
    ];
    for (const [path, wanted] of twins) expect(match(path), path).toBe(`not ${wanted}`);
    for (const path of ["/b%C3%A1r", "/%D0%B0dmin", "/admin%25", "/admin2"]) expect(match(path), path).toBe("/**");
  });

  test("is one on Windows with dots and spaces behind a name, which it drops", () => {
    const match = matcher("/admin/x", "/files/a.txt", "/**");
    for (const path of ["/admin./x", "/admin%20/x", "/admin/x.%20.", "/ADMIN/x..."]) {
      expect(match(path), path).toBe("not /admin/x");
    }
    expect(match("/files/a.txt")).toBe("/files/a.txt");
    expect(match("/admin.x/x")).toBe("/**");
    expect(match("/...")).toBe("/**");
    expect(match("/%20")).toBe("/**");
  });
});

describe("a route that is case-sensitive", () => {
  test("hides behind no other, and no other behind it", () => {
    const open = matcher("/reports/all", "!/reports/{id}");
    expect(open("/reports/ALL")).toBe("!/reports/{id}");
    const strict = matcher("!/reports/all", "/reports/{id}");
    expect(strict("/reports/ALL")).toBe("/reports/{id}");
  });

  test("leaves what others say as it is", () => {
    const match = matcher("!/admin/panel", "/admin/**", "/**");
    expect(match("/admin/Panel")).toBe("/admin/**");
    expect(match("/Admin/panel")).toBe("not /admin/**");
  });

  test("is the whole place's, whichever of its methods says so", () => {
    const match = matcher("GET /reports/{id}", "PUT !/reports/{id}", "/reports/all");
    expect(match("/reports/ALL")).toBe("GET /reports/{id}");
  });
});

describe("a slash at the end", () => {
  test("makes a path nobody's where a more specific route has it without", () => {
    const match = matcher("/users/me", "/users/{id}/", "/users/{id}/keys");
    expect(match("/users/me")).toBe("/users/me");
    expect(match("/users/7/")).toBe("/users/{id}/");
    expect(match("/users/me/")).toBe("not /users/me");
    const other = matcher("/users/me/", "/users/{id}");
    expect(other("/users/me")).toBe("not /users/me/");
    expect(other("/users/7")).toBe("/users/{id}");
  });

  test("is judged by the route without it where nothing but a rest has the path, as ever", () => {
    const match = matcher("/users/me", "/users/{id}", "/**");
    expect(match("/users/me/")).toBe("/users/me");
    expect(match("/users/7/")).toBe("/users/{id}");
    expect(match("/users/ME/")).toBe("not /users/me");
  });

  test("counts for case-sensitive routes as well", () => {
    expect(matcher("!/users/me", "!/users/{id}/")("/users/me/")).toBe("not !/users/me");
  });

  test("and its absence are two places where both have a template", () => {
    const match = matcher("/users/me", "/users/me/", "/users/{id}", "/users/{id}/");
    for (const path of ["/users/me", "/users/me/"]) expect(match(path)).toBe(path);
    expect(match("/users/ME/")).toMatch(/^not \/users\/me/);
  });
});

describe("what is behind a script", () => {
  test("is nobody's where a broader route would take it", () => {
    const match = matcher("/admin.php", "/cgi-bin/report.cgi", "/{page}/info", "/**");
    expect(match("/admin.php")).toBe("/admin.php");
    for (const path of ["/admin.php/x", "/admin.php/info", "/admin.php/a/b.css", "/ADMIN.PHP/x"]) {
      expect(match(path), path).toBe("not /admin.php");
    }
    expect(match("/admin.php/")).toBe("/admin.php");
    expect(match("/cgi-bin/report.cgi/2026")).toBe("not /cgi-bin/report.cgi");
    expect(match("/index.php/x")).toBe("/**");
    expect(match("/admin.phps/x")).toBe("/**");
  });

  test("is nobody's where the script itself is that of a parameter", () => {
    const match = matcher("/scripts/{name}", "/files/{name}/raw", "/files/{name}", "/files/**", "/**");
    expect(match("/scripts/report.php")).toBe("/scripts/{name}");
    for (const path of ["/scripts/report.php/x", "/scripts/report.php/x/y", "/scripts/report.PHP/x/y/"]) {
      expect(match(path), path).toBe("not /scripts/{name}");
    }
    expect(match("/Scripts/report.php/x/y")).toBe("not /scripts/{name}");
    expect(match("/scripts/report.txt/x/y")).toBe("/**");
    // A route that spells what follows is a place of its own.
    expect(match("/files/setup.py/raw")).toBe("/files/{name}/raw");
    expect(match("/files/a/setup.py/raw/x")).toBe("/files/**");
  });

  test("is a route's that names it", () => {
    const match = matcher("/index.php", "/index.php/**", "/index.php/users/{id}", "/**");
    expect(match("/index.php/x")).toBe("/index.php/**");
    expect(match("/index.php/users/7")).toBe("/index.php/users/{id}");
    expect(match("/index.PHP/users/7")).toMatch(/^not \/index\.php/);
  });

  test("belongs to the first script, which is the one that runs", () => {
    const match = matcher("/admin.php", "/{x}/b.php/**");
    expect(match("/a/b.php/z")).toBe("/{x}/b.php/**");
    expect(match("/admin.php/b.php/z")).toBe("not /admin.php");
  });
});

describe("what a script may route by itself", () => {
  test("is nobody's where the same path without the script has a more specific route", () => {
    const match = matcher("/admin/panel", "/shop/**", "/shop/admin", "/users/{id}", "/**");
    expect(match("/index.php/admin/panel")).toBe("not /admin/panel");
    expect(match("/index.php/ADMIN/panel")).toBe("not /admin/panel");
    expect(match("/index.php/admin/panel/")).toBe("not /admin/panel");
    expect(match("/shop/index.php/admin")).toBe("not /shop/admin");
    expect(match("/shop/index.php/admin/panel")).toBe("not /admin/panel");
    expect(match("/any/thing.cgi/users/7")).toBe("not /users/{id}");
    expect(match("/index.php/else")).toBe("/**");
    expect(match("/shop/index.php/else")).toBe("/shop/**");
    expect(match("/index.txt/admin/panel")).toBe("/**");
  });

  test("is nobody's behind parameters either, where something more specific stands beside them", () => {
    const match = matcher("/admin", "/{tenant}/{page}");
    expect(match("/index.php/admin")).toBe("not /admin");
    expect(match("/index.php/other")).toBe("/{tenant}/{page}");
  });

  test.each(["py", "pl", "rb", "sh", "PY"])("is not asked of .%s: source files stand within honest paths", (ending) => {
    const match = matcher("/{page}", "/admin/{id}", "/docs/**", "/repos/{name}/contents/**", "/**");
    expect(match(`/docs/setup.${ending}/x`)).toBe("/docs/**");
    expect(match(`/repos/a/contents/tool.${ending}/blame`)).toBe("/repos/{name}/contents/**");
    expect(match(`/tree/a/tool.${ending}/admin/7`)).toBe("/**");
    // It is still one place with the script, and a folder before a front controller.
    expect(match(`/setup.${ending}/x`)).toBe("not /{page}");
    expect(match(`/tree/a.${ending}/index.php/admin/7`)).toBe("not /admin/{id}");
  });

  test.each(["php", "php7", "phtml", "cgi", "fcgi", "fpl", "asp", "aspx", "ashx", "asmx", "svc", "cfm", "cfc"])(
    "is asked of .%s",
    (ending) => {
      const match = matcher("/{page}", "/admin/{id}", "/docs/**", "/**");
      expect(match(`/docs/index.${ending}/x`)).toBe("not /{page}");
      expect(match(`/tree/index.${ending}/admin/7`)).toBe("not /admin/{id}");
    },
  );

  test("is another's too where folding would give it to a rest around the script", () => {
    expect(matcher("/a/**", "!/A/{x}/**", "/{y}/")("/A/b.cgi/")).toBe("not /{y}/");
  });

  test("is a route's that spells it, but not that of one for the script's whole tree", () => {
    const match = matcher("/admin", "/index.php/admin", "/users", "/index.php/**", "/**");
    expect(match("/index.php/admin")).toBe("/index.php/admin");
    expect(match("/index.php/users")).toBe("not /users");
    expect(match("/index.php/else")).toBe("/index.php/**");
  });
});

test("a host's own routes are looked at before those of any host", () => {
  const match = matcher("a.test/admin", "/**");
  expect(match("a.test/ADMIN")).toBe("not a.test/admin");
  expect(match("b.test/ADMIN")).toBe("/**");
});

test("parameters are those of the path as it is", () => {
  const tree = buildRouteTree(["/o/{a}/{b}", "/o/all/x", "/o/{c}/**"].map(route));
  const match = tree.match("", "GET", "/o/Foo/BAR");
  expect(match.kind === "found" && match.params).toEqual(["Foo", "BAR"]);
  const rest = tree.match("", "GET", "/o/Foo/BAR/");
  expect(rest.kind === "found" && rest.params).toEqual(["Foo", "BAR"]);
});

test("a path of 30,000 letters that fold costs what its length costs", () => {
  const tree = buildRouteTree(["/a/{x}", "/a/b", "/**"].map(route));
  const paths = [
    `/${"A".repeat(30_000)}`,
    `/a/${"%C4%B0".repeat(5_000)}`,
    `/a${"/A.".repeat(10_000)}`,
    `/A${".".repeat(30_000)}b`,
  ];
  paths.push(`${"/a.php".repeat(5_000)}/x`, `/${"a.".repeat(10_000)}php/x`);
  paths.push(`/A${"%20".repeat(10_000)}b`, `/A${".%20".repeat(7_000)}`);
  const started = cpuMs();
  for (const path of paths) {
    for (let count = 0; count < 20; count++) expect(tree.match("", "GET", path).kind).toBe("found");
  }
  expect(cpuMs() - started).toBeLessThan(2_000);
});

describe("an escape of a character that may stand in a path as it is", () => {
  test("is not that character to a template, and what a service that decodes first would take it for is nobody's", () => {
    const match = matcher("/foo:cancel", "/items/a+b", "/items/{id}", "/**");
    expect(match("/foo:cancel")).toBe("/foo:cancel");
    expect(match("/foo%3Acancel")).toBe("not /foo:cancel");
    expect(match("/foo%3acancel")).toBe("not /foo:cancel");
    expect(match("/foo%3Bcancel")).toBe("/**");
    expect(match("/items/a%2Bb")).toBe("not /items/a+b");
    expect(match("/items/a%2Cb,c")).toBe("/items/{id}");
    expect(match("/items/%40me")).toBe("/items/{id}");
    expect(match("/other/a%2Bb%24")).toBe("/**");
  });

  test("is told of where nothing else would have taken it", () => {
    expect(matcher("/foo:cancel")("/foo%3Acancel")).toBe("not /foo:cancel");
    expect(matcher("/foo")("/foo%3Acancel")).toBe("none");
  });

  test("is found by its own spelling where a template has it", () => {
    const match = matcher("/foo%3Acancel", "/foo:cancel", "/foo%3Arun", "/**");
    expect(match("/foo%3Acancel")).toBe("/foo%3Acancel");
    expect(match("/foo:cancel")).toBe("/foo:cancel");
    expect(match("/foo%3Arun")).toBe("/foo%3Arun");
    expect(match("/foo:run")).toBe("not /foo%3Arun");
  });

  test("is looked into together with case, slashes at the end and scripts", () => {
    const match = matcher("/foo:cancel", "/admin@x.php", "/a:b/{id}", "/**");
    expect(match("/FOO%3Acancel")).toBe("not /foo:cancel");
    expect(match("/foo%3Acancel/")).toBe("not /foo:cancel");
    expect(match("/admin%40x.php/y")).toBe("not /admin@x.php");
    expect(match("/index.php/foo%3Acancel")).toBe("not /foo:cancel");
    expect(match("/a%3Ab/7")).toBe("not /a:b/{id}");
  });

  test("is looked into where all routes, or some, tell upper from lower case", () => {
    const all = matcher("!/foo:cancel", "!/**");
    expect(all("/foo%3Acancel")).toBe("not !/foo:cancel");
    expect(all("/FOO:cancel")).toBe("!/**");
    expect(all("/foo:CANCEL%3A")).toBe("!/**");
    const some = matcher("!/foo:cancel", "/bar:cancel", "/**");
    expect(some("/foo%3Acancel")).toBe("not !/foo:cancel");
    expect(some("/bar%3Acancel")).toBe("not /bar:cancel");
    const other = matcher("/foo:cancel", "!/**");
    expect(other("/foo%3Acancel")).toBe("not /foo:cancel");
  });
});
