import { createHash } from "node:crypto";

/** A policy and the files that it names, by the names it gives them. */
export interface Sample {
  readonly policy: string;
  readonly files: Readonly<Record<string, string>>;
}

/** A list that grows, or a fault that a list repeats. */
export interface Kind {
  readonly name: string;
  /** Entries that the largest size of a measurement has. */
  readonly sizeMax: number;
  /** Whether the policy is sound. */
  readonly isSound: boolean;
  make(size: number): Sample;
}

const HEAD = `version: 1
service: orders
listeners: [{ name: inbound, address: 127.0.0.1:8080 }]
upstreams: { app: { address: 'http://127.0.0.1:3000' } }
`;

const ROUTE = "routes: [{ path: /, public: true }]\n";

function lines(size: number, line: (at: number) => string): string {
  return Array.from({ length: size }, (_, at) => `${line(at)}\n`).join("");
}

function digest(at: number): string {
  return createHash("sha256").update(String(at)).digest("hex");
}

/** Another address each, spread over all of IPv4. */
function address(at: number): string {
  const word = Math.imul(at + 1, 2_654_435_761) >>> 0;
  return [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255].join(".");
}

function inPolicy(name: string, sizeMax: number, rest: (size: number) => string, isSound = false): Kind {
  return { name, sizeMax, isSound, make: (size) => ({ policy: HEAD + rest(size), files: {} }) };
}

function withKeys(name: string, sizeMax: number, keys: (size: number) => string, isSound = false): Kind {
  const policy = `${HEAD}authenticators: { partners: { type: api-key, header: X-Api-Key, keys: keys.yaml } }
routes: [{ path: /, authenticate: [partners] }]
`;
  return { name, sizeMax, isSound, make: (size) => ({ policy, files: { "keys.yaml": keys(size) } }) };
}

function withDenyFile(name: string, sizeMax: number, line: (at: number) => string, isSound = false): Kind {
  const policy = `${HEAD}defaults: { address: { denyFile: deny.txt } }\n${ROUTE}`;
  return { name, sizeMax, isSound, make: (size) => ({ policy, files: { "deny.txt": lines(size, line) } }) };
}

function withRevoked(name: string, sizeMax: number, line: (at: number) => string, isSound = false): Kind {
  const policy = `${HEAD}revoked: revoked.yaml\n${ROUTE}`;
  return {
    name,
    sizeMax,
    isSound,
    make: (size) => ({ policy, files: { "revoked.yaml": `jti:\n${lines(size, (at) => `  - ${line(at)}`)}` } }),
  };
}

function routes(name: string, sizeMax: number, route: (at: number) => string, isSound = false): Kind {
  return inPolicy(name, sizeMax, (size) => `routes:\n${lines(size, (at) => `  - ${route(at)}`)}`, isSound);
}

const caller = (at: number): string => `  - name: caller-${at}\n    scopes: [orders:read]\n    keys:\n`;

/** Every kind of list of a policy, and every kind of fault that a list can repeat. */
export const KINDS: readonly Kind[] = [
  routes("routes", 3_000, (at) => `{ path: '/v1/a${at}/{id}', methods: [GET], public: true }`, true),
  inPolicy(
    "schemas in routes",
    3_000,
    (size) =>
      `routes:\n${lines(
        size,
        (at) =>
          `  - { path: '/v1/a${at}/{id}', methods: [GET], public: true, validate: { path: { id: { type: string, maxLength: ${at + 1} } } } }`,
      )}`,
    true,
  ),
  routes("routes, equal", 3_000, () => "{ path: /v1/a, public: true }"),
  routes("routes, unknown key", 3_000, (at) => `{ path: /v1/a${at}, public: true, shape: 1 }`),
  routes("routes, wrong value", 3_000, (at) => `{ path: /v1/a${at}, public: perhaps }`),
  routes("routes, unknown upstream", 3_000, (at) => `{ path: /v1/a${at}, public: true, upstream: ap${at} }`),
  routes("routes, wrong path", 3_000, (at) => `{ path: v1/a${at}, public: true }`),
  inPolicy("keys of a mapping, unknown", 10_000, (size) => ROUTE + lines(size, (at) => `key${at}: 1`)),
  inPolicy(
    "keys of a setting, unknown",
    10_000,
    (size) => `defaults:\n  address:\n    deny: [192.0.2.1]\n${lines(size, (at) => `    key${at}: 1`)}${ROUTE}`,
  ),
  inPolicy("keys of a mapping, twice", 10_000, (size) => ROUTE + lines(size, () => "log: { access: all }")),
  inPolicy("strange tags", 10_000, (size) => `extra:\n${lines(size, () => "  - !a b")}${ROUTE}`),
  inPolicy("broken YAML", 10_000, (size) => `${ROUTE}extra:\n${lines(size, () => "  - ]: [}")}`),
  inPolicy("aliases", 10_000, (size) => `extra:\n  - &a x\n${lines(size, () => "  - *a")}${ROUTE}`),
  inPolicy("aliases without anchor", 10_000, (size) => `extra:\n${lines(size, (at) => `  - *a${at}`)}${ROUTE}`),
  inPolicy(
    "addresses in the policy",
    20_000,
    (size) => `defaults:\n  address:\n    deny:\n${lines(size, (at) => `      - ${address(at)}`)}${ROUTE}`,
    true,
  ),
  inPolicy(
    "addresses in the policy, wrong",
    20_000,
    (size) => `defaults:\n  address:\n    deny:\n${lines(size, (at) => `      - ${at}.0`)}${ROUTE}`,
  ),
  inPolicy(
    "addresses in the policy, no text",
    20_000,
    (size) => `defaults:\n  address:\n    deny:\n${lines(size, (at) => `      - ${at}`)}${ROUTE}`,
  ),
  inPolicy(
    "limits",
    3_000,
    (size) => `limits:\n${lines(size, (at) => `  l${at}: { rate: 1/hour, key: client.address }`)}${ROUTE}`,
    true,
  ),
  inPolicy(
    "limits of one route",
    3_000,
    (size) => {
      const names = Array.from({ length: size }, (_, at) => `l${at}`);
      return `limits:\n${lines(size, (at) => `  l${at}: { rate: 1/hour, key: client.address }`)}routes: [{ path: /, public: true, limit: [${names.join(", ")}] }]\n`;
    },
    true,
  ),
  inPolicy("limits, undefined", 3_000, (size) => {
    const names = Array.from({ length: size }, (_, at) => `limit-number-${at}-that-nobody-defines`);
    return `limits:\n${lines(size, (at) => `  l${at}: { rate: 1/hour, key: client.address }`)}routes: [{ path: /, public: true, limit: [${names.join(", ")}] }]\n`;
  }),
  inPolicy(
    "limits, wrong",
    3_000,
    (size) => `limits:\n${lines(size, (at) => `  l${at}: { rate: often, key: client.address }`)}${ROUTE}`,
  ),
  {
    name: "upstreams",
    sizeMax: 3_000,
    isSound: true,
    make: (size) => ({
      policy: `version: 1\nservice: orders\nlisteners: [{ name: inbound, address: 127.0.0.1:8080, upstream: u0 }]\nupstreams:\n${lines(size, (at) => `  u${at}: { address: 'http://127.0.0.1:${3000 + at}' }`)}${ROUTE}`,
      files: {},
    }),
  },
  {
    name: "upstreams and listeners",
    sizeMax: 100,
    isSound: true,
    make: (size) => ({
      policy: `version: 1\nservice: orders\nlisteners:\n${lines(size, (at) => `  - { name: l${at}, address: 127.0.0.1:${at + 1}, upstream: u${at} }`)}upstreams:\n${lines(size, (at) => `  u${at}: { address: 'http://127.0.0.1:${10_000 + at}' }`)}${ROUTE}`,
      files: {},
    }),
  },
  {
    name: "listeners, equal",
    sizeMax: 1_000,
    isSound: false,
    make: (size) => ({
      policy: `version: 1\nservice: orders\nlisteners:\n${lines(size, () => "  - { name: l, address: 127.0.0.1:8080 }")}upstreams: { app: { address: 'http://127.0.0.1:3000' } }\n${ROUTE}`,
      files: {},
    }),
  },
  withKeys(
    "keys",
    20_000,
    (size) => `callers:\n${lines(size, (at) => `${caller(at)}      - sha256: "${digest(at)}"`)}`,
    true,
  ),
  withKeys(
    "keys of one caller",
    20_000,
    (size) => `callers:\n${caller(0)}${lines(size, (at) => `      - sha256: "${digest(at)}"`)}`,
    true,
  ),
  withKeys(
    "keys, wrong digest",
    5_000,
    (size) => `callers:\n${lines(size, (at) => `${caller(at)}      - sha256: "${at}"`)}`,
  ),
  withKeys(
    "keys, unknown key",
    5_000,
    (size) => `callers:\n${lines(size, (at) => `${caller(at)}      - { sha256: "${digest(at)}", note: x }`)}`,
  ),
  withKeys(
    "keys, twice",
    5_000,
    (size) => `callers:\n${lines(size, (at) => `${caller(at)}      - sha256: "${digest(0)}"`)}`,
  ),
  withKeys(
    "keys, one name",
    5_000,
    (size) => `callers:\n${lines(size, (at) => `${caller(0)}      - sha256: "${digest(at)}"`)}`,
  ),
  withKeys("keys, broken YAML", 5_000, (size) => `callers:\n${lines(size, () => "  - ]: [}")}`),
  withKeys("keys, strange lines", 5_000, (size) => lines(size, (at) => `${digest(at)}: ${at}`)),
  withKeys("keys, aliases", 5_000, (size) => `callers:\n  - &a x\n${lines(size, () => "  - *a")}`),
  withDenyFile("deny list", 100_000, address, true),
  withDenyFile(
    "deny list, IPv6",
    100_000,
    (at) => `2001:db8:${(at >>> 16).toString(16)}:${(at & 0xffff).toString(16)}::/64`,
    true,
  ),
  withDenyFile("deny list, wrong", 100_000, (at) => `${at}.0`),
  withDenyFile("deny list, comments", 100_000, (at) => (at === 0 ? "192.0.2.1" : "# nobody"), true),
  withRevoked("revoked tokens", 100_000, digest, true),
  withRevoked("revoked tokens with an end", 100_000, (at) => `{ jti: ${digest(at)}, until: 2999-01-01 }`, true),
  withRevoked("revoked tokens, wrong", 100_000, (at) => `{ jit: ${digest(at)} }`),
];
