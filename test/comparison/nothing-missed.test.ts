// Goal: of random pairs of policies, whatever request of their vocabulary is judged otherwise, its direction and route are told.
import { expect, test } from "vitest";
import { compare } from "../../src/comparison/compare.ts";
import { flowText } from "../../src/comparison/flow-text.ts";
import type { Identity } from "../../src/comparison/identities.ts";
import { type Judgement, judgeWitness } from "../../src/comparison/judge.ts";
import type { Witness } from "../../src/comparison/witness.ts";
import { createTestPki } from "../fixtures/pki.ts";
import { fixedClock } from "../policy/policy-kit.ts";
import { AUTHENTICATORS, KEYS, MUTUAL, worldOf } from "./kit.ts";

/** Numbers from a seed, so that a failure comes again. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

type Random = ReturnType<typeof randomOf>;

const one = <T>(list: readonly T[], random: Random): T => list[random(list.length)] as T;

const ATOMS = [
  "scopes: [a]",
  "scopes: [b]",
  "scopes: [a, b]",
  "groups: [g]",
  "claims: { tenant: x }",
  "claims: { tenant: [x, y] }",
  "networks: [10.0.0.0/8]",
  "networks: [10.1.0.0/16]",
  `when: '"a" in principal.scopes || jwt.tenant == "x"'`,
  `when: 'jwt.level >= 2'`,
  `when: 'jwt.level > 2'`,
  "methods: [GET]",
  "spiffeId: spiffe://a/x",
  "subjects: [CN=a]",
  `when: 'certificate.spiffeId == "spiffe://a/y"'`,
  `when: 'now < timestamp("2030-01-01T00:00:00Z")'`,
  "time: [{ hours: 08:00-18:00 }]",
  "match: { path.id: jwt.sub }",
];

function rule(random: Random, templateHasId: boolean): string {
  const atoms = templateHasId ? ATOMS : ATOMS.slice(0, -1);
  const atom = (): string => one(atoms, random);
  const shape = random(5);
  if (shape === 0) return `{ any: [{ ${atom()} }, { ${atom()} }] }`;
  if (shape === 1) return `{ all: [{ ${atom()} }, { ${atom()} }] }`;
  if (shape === 2) return `{ ${atom()}, not: { ${atom()} } }`;
  return `{ ${atom()} }`;
}

const TEMPLATES = ["/a", "/a/{id}", "/a/**", "/**"];

/** What patterns and forms say, so that each of them meets each other one. */
const VALIDATED = ["^a+$", "^ab?$", "^[ab]{1,2}$"].flatMap((pattern) => [
  `, validate: { query: { q: { schema: { type: string, pattern: '${pattern}' } } } }`,
  `, validate: { form: { fields: { q: { type: string, pattern: '${pattern}' } } } }`,
]);
const TEXTS = ["a", "ab", "aa", "b", "ba", "aab"];

function policy(random: Random): string {
  const routes = TEMPLATES.flatMap((template) => {
    if (random(4) === 0) return [];
    const methods = one(["", ", methods: [GET]", ", methods: [GET, POST]"], random);
    const address = one(["", "", ", address: { deny: [10.1.0.0/16] }", ", address: { allow: [10.0.0.0/8] }"], random);
    const access = one(
      ["public: true", "authenticate: [okta]", "authenticate: [okta]", "authenticate: [okta, mesh]"],
      random,
    );
    const authorize =
      access === "public: true" || random(4) === 0 ? "" : `, authorize: ${rule(random, template.includes("{id}"))}`;
    const deprecated = one(["", "", "", ", deprecated: { sunset: 2030-01-01 }"], random);
    const body = one(["", "", "", ", validate: { jsonrpc: { methods: [a] } }", ...VALIDATED], random);
    const mode = authorize !== "" && random(4) === 0 ? authorize.replace(/ \}$/, ", mode: audit }") : authorize;
    return [`  - { path: "${template}"${methods}, ${access}${mode}${address}${deprecated}${body} }\n`];
  });
  const some = routes.length > 0 ? routes : ["  - { path: /, public: true }\n"];
  const mesh = one(["", ", spiffeIds: ['spiffe://a/*']", ", subjects: [CN=a]"], random);
  return `${AUTHENTICATORS}  mesh: { type: client-certificate${mesh} }\nroutes:\n${some.join("")}`;
}

/** Each request of the vocabulary, or of each kind of it a part where all would be too many. */
function* requests(random: Random): Generator<Witness> {
  const identities: Identity[] = [{ as: null, assumed: null }];
  for (const scope of [undefined, "a", "b", "a b"]) {
    for (const groups of [undefined, ["g"]]) {
      for (const tenant of [undefined, "x", "y"]) {
        const claims = {
          scope,
          groups,
          tenant,
          level: one([undefined, 1, 2, 3], random),
          sub: one([undefined, "1", "2"], random),
        };
        const told = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
        identities.push({ as: flowText({ jwt: told }), assumed: { type: "jwt", claims: told } });
      }
    }
  }
  for (const target of ["/a", "/a/1", "/a/1/2", "/b"]) {
    for (const method of ["GET", "POST", "DELETE"]) {
      for (const client of ["127.0.0.1", "10.1.2.3", "10.2.0.1", "192.0.2.1"]) {
        if (random(3) !== 0) continue;
        const certificate = one(
          [null, null, { subject: "CN=a" }, { spiffeId: "spiffe://a/x" }, { spiffeId: "spiffe://a/y" }],
          random,
        );
        const atMs = one(
          [null, null, Date.UTC(2029, 11, 31, 12), Date.UTC(2030, 1, 1, 9), Date.UTC(2029, 5, 1, 3)],
          random,
        );
        const kind = method === "POST" ? one(["call", "form", "none"] as const, random) : "none";
        const body = {
          call: `{"jsonrpc":"2.0","id":1,"method":"${one(["a", "b"], random)}"}`,
          form: `q=${one(TEXTS, random)}`,
          none: null,
        }[kind];
        const headers = {
          call: ["content-type: application/json"],
          form: ["content-type: application/x-www-form-urlencoded"],
          none: [],
        }[kind];
        const query = random(3) === 0 ? `?q=${one(TEXTS, random)}` : "";
        for (const identity of identities)
          yield { method, target: target + query, client, identity, headers, body, certificate, atMs };
      }
    }
  }
}

/** Which way a request moves: what a difference of it has to be called. */
function directionOf(was: Judgement, is: Judgement): string | null {
  if (was.isAllowed && is.isAllowed && was.outcome === is.outcome && was.audited.join() !== is.audited.join())
    return `audited ${is.route}`;
  if (was.isAllowed === is.isAllowed) return null;
  if (is.isAllowed) return was.hasNoRoute ? `opened ${is.route}` : `loosened ${was.route}`;
  return is.hasNoRoute ? `closed ${was.route}` : `tightened ${is.route}`;
}

const SEEDS = 12;

const pki = await createTestPki();
const files = {
  "server.pem": pki.server.certificate,
  "server.key": pki.server.key,
  "ca.pem": pki.ca.certificate,
  "keys.yaml": KEYS,
};

test(`of ${SEEDS} pairs of policies no direction of any route is missed, and none is told that is not there`, async () => {
  const nowMs = fixedClock.wallMs();
  let moved = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = randomOf(seed);
    const texts = [policy(random), policy(random)] as const;
    const [before, after] = [
      await worldOf(texts[0], files, { listener: MUTUAL }),
      await worldOf(texts[1], files, { listener: MUTUAL }),
    ];
    const { differences, leftOut } = await compare(before, after, nowMs);
    expect(leftOut, `seed ${seed}`).toBe(0);
    const told = new Set(differences.map(({ kind, route }) => `${kind} ${route}`));
    for (const request of requests(random)) {
      const was = await judgeWitness(before.world, request, nowMs);
      const is = await judgeWitness(after.world, request, nowMs);
      const direction = was === null || is === null ? null : directionOf(was, is);
      if (direction === null) continue;
      moved++;
      if (!told.has(direction))
        expect.fail(`seed ${seed}: ${direction} by ${JSON.stringify(request)}\n${texts.join("\n---\n")}`);
    }
    for (const { kind, route, witness } of differences) {
      const [was, is] = [
        await judgeWitness(before.world, witness, nowMs),
        await judgeWitness(after.world, witness, nowMs),
      ];
      if (was === null || is === null) expect.fail("a witness that is no request");
      if (kind !== "sent" && kind !== "refused") expect(directionOf(was, is)).toBe(`${kind} ${route}`);
    }
  }
  expect(moved).toBeGreaterThan(500);
});
