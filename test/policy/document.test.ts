import { describe, expect, test } from "vitest";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { cpuMs } from "../fixtures/cpu-time.ts";
import { examine, PUBLIC_ROUTE, policyWith, problemsOf, routeOf, snapshotOf } from "./policy-kit.ts";

describe("a policy that is no policy", () => {
  test("an empty file says what is expected", async () => {
    expect(await problemsOf("")).toEqual(["1:1 the policy is empty; expected 'version: 1' and what follows"]);
    expect(await problemsOf("# only a comment\n")).toEqual([
      "1:1 the policy is empty; expected 'version: 1' and what follows",
    ]);
  });

  test("a list or a word at the top is not a mapping", async () => {
    expect(await problemsOf("- version: 1\n")).toEqual(["1:1 expected a mapping"]);
    expect(await problemsOf("version")).toEqual(["1:1 expected a mapping"]);
  });

  test("bytes that are not UTF-8 are refused as such", async () => {
    expect(await problemsOf(Buffer.from([0x76, 0xff, 0xfe]))).toEqual(["1:1 the policy is not UTF-8"]);
  });

  test("a file above the size limit is not parsed", async () => {
    const [problem] = await problemsOf(Buffer.alloc(DEFAULTS.policyBytesMax + 1, 0x20));
    expect(problem).toBe(`1:1 the policy is larger than ${DEFAULTS.policyBytesMax} bytes`);
  });

  test("a tab as indentation is named with its line", async () => {
    expect(await problemsOf(policyWith(`admin:\n\taddress: 127.0.0.1:1\n${PUBLIC_ROUTE}`))).toEqual([
      expect.stringMatching(/^7:1 not valid YAML: tabs are not allowed as indentation/),
    ]);
  });
});

describe("what could hide a rule from its reader", () => {
  test("a key that stands twice is a problem, for one of the two would be lost", async () => {
    const text = policyWith("routes:\n  - path: /a\n    authenticate: [okta]\n    public: true\n    path: /b");
    expect(await problemsOf(text)).toContain("10:5 the key 'path' stands here a second time; expected it once");
  });

  test("1 and '1' are one key", async () => {
    expect(await problemsOf("1: x\n'1': y\n")).toContain("2:1 the key '1' stands here a second time; expected it once");
  });

  test("a second document is refused, not ignored", async () => {
    expect(await problemsOf(`${policyWith(PUBLIC_ROUTE)}\n---\nroutes: []\n`)).toEqual([
      expect.stringMatching(/^[78]:\d+ a second document begins here; expected one$/),
    ]);
  });

  test("YAML 1.1, where 'no' is false and << merges, cannot be asked for", async () => {
    expect(await problemsOf(`%YAML 1.1\n---\n${policyWith(PUBLIC_ROUTE)}`)).toEqual([
      expect.stringContaining("a policy is YAML 1.2"),
    ]);
  });

  test("tags are refused", async () => {
    expect(await problemsOf(policyWith("routes:\n  - { path: !!binary L2E=, public: true }"))).toContain(
      "7:13 a tag has no meaning in a policy; expected a value without it",
    );
  });

  test("keys that are lists, mappings or aliases are refused", async () => {
    for (const key of ["? [a]\n: b", "? {a: 1}\n: b", "a: &x y\n*x : b"]) {
      expect(await problemsOf(key), key).not.toEqual([]);
      expect((await examine(key)).snapshot).toBeNull();
    }
  });

  test("__proto__ is a problem, constructor is only an unknown key", async () => {
    const text = policyWith(`__proto__: { polluted: 1 }\nconstructor: 1\n${PUBLIC_ROUTE}`);
    expect(await problemsOf(text)).toEqual([
      "6:1 the key '__proto__' is not allowed",
      expect.stringMatching(/^7:1 unknown key 'constructor'; expected one of: version, service, include, listeners/),
    ]);
    expect("polluted" in {}).toBe(false);
  });

  test("names of Object's own properties define nothing", async () => {
    const text = policyWith("routes:\n  - { path: /a, authenticate: [constructor], limit: [toString] }");
    const problems = await problemsOf(text);
    expect(problems).toContainEqual(expect.stringMatching(/^7:32 authenticator 'constructor' is not defined/));
    expect(problems).toContainEqual(expect.stringMatching(/^7:54 no limit 'toString' is defined/));
  });
});

describe("aliases", () => {
  test("one list can serve two routes", async () => {
    const text = policyWith(`
routes:
  - { path: /a, public: true, address: { deny: &bad [192.0.2.1] } }
  - { path: /b, public: true, address: { deny: *bad } }`);
    const snapshot = await snapshotOf(text);
    expect(routeOf(snapshot, "/b").checks.map(({ name }) => name)).toEqual(["address"]);
    expect(routeOf(snapshot, "/b").checks[0]?.place).toMatchObject({ line: 8, path: "routes[1].address" });
  });

  test("an alias of nothing, or of what it stands in, is a problem", async () => {
    expect(await problemsOf("a: *nope\n")).toContain("1:4 no anchor 'nope' stands before this alias");
    expect(await problemsOf("a: &loop [*loop]\n")).toContain("1:11 no anchor 'loop' stands before this alias");
  });

  test("a bomb of aliases is defused before anything is written out", async () => {
    const levels = Array.from({ length: 30 }, (_, at) => {
      const inner = at === 0 ? "x" : `*a${at - 1}`;
      return `a${at}: &a${at} [${Array.from({ length: 9 }, () => inner).join(", ")}]`;
    });
    const startMs = cpuMs();
    expect(await problemsOf(levels.join("\n"))).toEqual([
      `1:1 more than ${DEFAULTS.policyNodesMax} values with its aliases written out`,
    ]);
    expect(cpuMs() - startMs).toBeLessThan(2000);
  });

  test("a tower of aliases cannot exceed the depth that text may have", async () => {
    const levels = Array.from({ length: 100 }, (_, at) => `a${at}: &a${at} [${at === 0 ? "x" : `*a${at - 1}`}]`);
    expect(await problemsOf(levels.join("\n"))).toEqual([
      `1:1 nested deeper than ${DEFAULTS.policyDepthMax} levels with its aliases written out`,
    ]);
  });
});

describe("merge keys", () => {
  test("a key of the mapping itself counts, then that of the first that is merged", async () => {
    const text = policyWith(`
x-anchors:
  - &open { path: /a, public: true, methods: [GET] }
  - &put { methods: [PUT], address: { deny: [192.0.2.1] } }
routes:
  - <<: *open
  - path: /b
    <<: [*open, *put]
  - { <<: [*put, *open], path: /c }
  - <<: { public: true }
    path: /d
  - "<<": 1
    path: /e
    public: true
`);
    const { problems } = await examine(text);
    expect(problems.map(({ place, text }) => `${place.line} ${text.split(";")[0]}`)).toEqual([
      "16 merge keys (<<) have no place here",
    ]);
    const { routeList } = await snapshotOf(text.replace('"<<": 1\n    path', "path"));
    expect(routeList.map(({ template, methods }) => `${template} ${methods}`)).toEqual([
      "/a GET",
      "/b GET",
      "/c PUT",
      expect.stringMatching(/^\/d /),
      expect.stringMatching(/^\/e /),
    ]);
  });

  test("what is wrong with a merged key is told where it is written, and a denial names that line", async () => {
    const text = policyWith(`
routes:
  - &a { path: /a, public: true, address: { deny: [192.0.2.1] } }
  - <<: *a
    path: /b`);
    const [check] = routeOf(await snapshotOf(text), "/b").checks;
    expect(check?.place).toMatchObject({ line: 7, column: 43, path: "routes[1].address" });
    expect(await problemsOf(text.replace("192.0.2.1", "192.0.2"))).toEqual([expect.stringMatching(/^7:/)]);
  });

  test("what is no mapping is not merged, nor twice", async () => {
    expect(await problemsOf("a: &a [1]\nb: { <<: *a }\n")).toContainEqual(
      "2:10 expected a mapping to merge, or a list of mappings, as in <<: [*a, *b]",
    );
    expect(await problemsOf("a: &a { b: 1 }\nc: { <<: *a, <<: *a }\n")).toContainEqual(
      "2:14 a second merge key (<<) stands here; expected one, with a list",
    );
    expect(await problemsOf("a: &a { <<: *a }\n")).toContain("1:13 no anchor 'a' stands before this alias");
  });

  test("a bomb of merges is defused: neither many large ones nor a tower of them", async () => {
    const keys = Array.from({ length: 2_000 }, (_, at) => `  k${at}: 1`).join("\n");
    const merges = Array.from({ length: 5_000 }, () => "- { <<: *a }").join("\n");
    const startMs = cpuMs();
    expect(await problemsOf(`x-a: &a\n${keys}\nroutes:\n${merges}\n`)).toContainEqual(
      expect.stringContaining(`more than ${DEFAULTS.policyNodesMax}`),
    );
    const tower = Array.from({ length: 100 }, (_, at) => `x-${at}: &a${at} { <<: ${at === 0 ? "{}" : `*a${at - 1}`} }`);
    expect(await problemsOf(tower.join("\n"))).toEqual([
      `1:1 nested deeper than ${DEFAULTS.policyDepthMax} levels with its aliases written out`,
    ]);
    expect(cpuMs() - startMs).toBeLessThan(4000);
  });
});

describe("limits on form", () => {
  test.each(["[", "{", "- ", "? ", "{a: "])("a hundred thousand times %j is refused at once", async (opening) => {
    const startMs = cpuMs();
    const problems = await problemsOf(opening.repeat(100_000));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`nested deeper than ${DEFAULTS.policyDepthMax} levels`);
    expect(cpuMs() - startMs).toBeLessThan(2000);
  });

  test("numbers that lose digits or have no end are refused", async () => {
    expect(await problemsOf("a: 1e400\nb: .nan\nc: 99999999999999999999\n")).toEqual(
      expect.arrayContaining([
        "1:4 expected a finite number",
        "2:4 expected a finite number",
        "3:4 a whole number beyond 2^53 would lose digits; expected a smaller one",
      ]),
    );
  });

  test("a byte order mark and Windows line ends change no place", async () => {
    const text = `\ufeff${policyWith("rootes: []\nroutes: [{ path: /, public: true }]").replaceAll("\n", "\r\n")}`;
    expect(await problemsOf(text)).toEqual(["6:1 unknown key 'rootes'; did you mean 'routes'?"]);
  });
});
