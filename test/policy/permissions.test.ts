import { generateKeyPairSync } from "node:crypto";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import type { EntryMode, FileGuard } from "../../src/policy/file-guard.ts";
import { createTestPki } from "../fixtures/pki.ts";
import { examine, fixedClock, policyWith } from "./policy-kit.ts";

const OWN = 65_532;
const STRANGE = 1_001;
const SCHEMA = "order.json";
const ROUTE = `routes: [{ path: /, methods: [POST], public: true, validate: { contentType: [application/json], body: { schema: ${SCHEMA} } } }]`;

/** Modes by absolute name, `[mode, gid]`; what is not named is 0644, or 0755 for a folder, of root. */
type Modes = Readonly<Record<string, readonly [mode: number, gid?: number]>>;

function guardOf(modes: Modes, links: Readonly<Record<string, string>> = {}, servesAsRoot = false): FileGuard {
  const entry = (path: string, usual: number): EntryMode => {
    const [mode = usual, gid = 0] = modes[path] ?? [];
    return { path, mode, gid };
  };
  return {
    groups: new Set([OWN]),
    servesAsRoot,
    modesOf: (absolute) => {
      const real = links[absolute] ?? absolute;
      const folders = new Map<string, EntryMode>();
      for (const name of [absolute, real]) {
        for (let path = dirname(name); !folders.has(path); path = dirname(path)) folders.set(path, entry(path, 0o755));
      }
      return { file: entry(real, 0o644), folders };
    },
  };
}

const pki = await createTestPki();
const FILES = {
  [SCHEMA]: "{}",
  "server.pem": pki.server.certificate,
  "server.key": pki.server.key,
};
const clock = { ...fixedClock, wallMs: () => Date.now() };

async function warnings(modes: Modes, links?: Readonly<Record<string, string>>, root?: boolean): Promise<string[]> {
  const listener = "{ name: a, address: '127.0.0.1:8443', tls: { certificate: server.pem, key: server.key } }";
  const guard = guardOf({ "/srv/conf/server.key": [0o640, OWN], ...modes }, links, root);
  const { warnings: found, problems } = await examine(policyWith(ROUTE, { listener }), FILES, clock, undefined, guard);
  expect(problems).toEqual([]);
  return found.map(({ place, text }) => `${place.line}:${place.column} ${text}`);
}

const KEY = "/srv/conf/server.key";
const readers = (file: string, mode: string): string =>
  `3:88 '${file}' holds a private key that every user of the system may read (mode ${mode}); expected 0640 or less`;
const decide = "and so decide what postern lets pass; expected that only its owner may";

describe("a private key", () => {
  test.each(["600", "400", "440", "640"])("of mode %s is nobody else's", async (text) => {
    const mode = Number.parseInt(text, 8);
    for (const gid of [0, OWN, STRANGE]) expect(await warnings({ [KEY]: [mode, gid] })).toEqual([]);
  });

  test("that others may read is named with the line that names it", async () => {
    expect(await warnings({ [KEY]: [0o644] })).toEqual([readers(KEY, "0644")]);
  });

  test("is none of theirs where a folder keeps them out, on the way to where it really is", async () => {
    expect(await warnings({ [KEY]: [0o644], "/srv/conf": [0o750, OWN] })).toEqual([]);
    const links = { [KEY]: "/secret/..2026_11_28/tls.key" };
    expect(await warnings({ "/secret/..2026_11_28/tls.key": [0o644], "/srv/conf": [0o700] }, links)).toEqual([
      readers("/secret/..2026_11_28/tls.key", "0644"),
    ]);
    expect(await warnings({ "/secret/..2026_11_28/tls.key": [0o644], "/secret": [0o700] }, links)).toEqual([]);
  });
});

describe("a private JWK", () => {
  const exported = (type: "rsa" | "ec" | "ed25519"): object => {
    if (type === "rsa")
      return generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey.export({ format: "jwk" });
    if (type === "ec") return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
    return generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  };
  const SECRET = { kty: "oct", k: "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA" };
  const told = async (content: unknown, mode: number): Promise<string[]> => {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    const name = `/srv/conf/${SCHEMA}`;
    const guard = guardOf({ [name]: [mode, OWN] });
    const { warnings: found } = await examine(policyWith(ROUTE), { [SCHEMA]: text }, clock, undefined, guard);
    return found.map((warning) => warning.text).filter((text) => text.includes("private key"));
  };

  test.each([
    ["of RSA", exported("rsa")],
    ["of EC", exported("ec")],
    ["of OKP", exported("ed25519")],
    ["of oct, which is secret", SECRET],
    ["in a set", { keys: [{ kty: "EC" }, exported("ec")] }],
  ])("%s counts as one in PEM does", async (_, jwk) => {
    expect(await told(jwk, 0o644)).toEqual([expect.stringContaining(`'/srv/conf/${SCHEMA}' holds a private key`)]);
    expect(await told(jwk, 0o640)).toEqual([]);
  });

  test.each([
    ["a public one", { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }],
    ["a schema of JWKs", { properties: { kty: { type: "string" }, d: { type: "string" }, k: { type: "string" } } }],
    ["a list without objects", { keys: ["d", null, ["kty"]], kty: { d: "d" } }],
    ["what is no JSON", '{"kty": "EC", "d": "x"'],
  ])("is not %s", async (_, content) => {
    expect(await told(content, 0o644)).toEqual([]);
  });
});

describe("what the policy is made of", () => {
  test("may be read by everybody, written by its owner, by root's group and by postern's own", async () => {
    expect(await warnings({ "/srv/conf/policy.yaml": [0o664, OWN], [`/srv/conf/${SCHEMA}`]: [0o664] })).toEqual([]);
  });

  test.each([
    ["policy.yaml", "1:1"],
    ["server.key", "3:88"],
    ["server.pem", "3:71"],
    [SCHEMA, "6:113"],
  ])("and may not be written by others or a group of strangers: %s", async (name, place) => {
    const file = `/srv/conf/${name}`;
    expect(await warnings({ [file]: [0o622] })).toEqual([`${place} others may write '${file}' (mode 0622), ${decide}`]);
    expect(await warnings({ [file]: [0o620, STRANGE] })).toEqual([
      `${place} group ${STRANGE} may write '${file}' (mode 0620), ${decide}`,
    ]);
  });

  test("a folder that others may write is named once, be it that of a link", async () => {
    const text = (folder: string, file: string, mode: string): string =>
      `others may replace what lies in '${folder}' (mode ${mode}, not sticky), '${file}' with it, ${decide}`;
    const policy = "/srv/conf/policy.yaml";
    expect(await warnings({ "/srv": [0o777] })).toEqual([`1:1 ${text("/srv", policy, "0777")}`]);
    const links = { [`/srv/conf/${SCHEMA}`]: "/data/schemas/order.json" };
    expect(await warnings({ "/data": [0o757] }, links)).toEqual([
      `6:113 ${text("/data", "/data/schemas/order.json", "0757")}`,
    ]);
  });

  test("a sticky folder, as /tmp and the mounts of Kubernetes, lets nobody replace what others own", async () => {
    expect(await warnings({ "/srv": [0o1777], "/srv/conf": [0o3777, OWN] })).toEqual([]);
  });

  test("a folder that nobody else comes to may be written by everybody", async () => {
    expect(await warnings({ "/srv": [0o700], "/srv/conf": [0o777] })).toEqual([]);
    expect(await warnings({ "/srv": [0o710, STRANGE], "/srv/conf": [0o775, STRANGE] })).toHaveLength(1);
  });
});

test("who serves as root is told so", async () => {
  expect(await warnings({}, {}, true)).toEqual([
    "1:1 postern runs as root, so a fault in it gives the whole machine away; expected a user of its own",
  ]);
});

test("a file whose modes cannot be told is nothing to warn of", async () => {
  const guard: FileGuard = { groups: new Set(), servesAsRoot: false, modesOf: () => null };
  const found = await examine(policyWith(ROUTE), FILES, clock, undefined, guard);
  expect(found.warnings).toEqual([]);
});
