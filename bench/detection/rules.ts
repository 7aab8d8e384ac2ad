import { existsSync } from "node:fs";
import { type BodyFacts, type NamedText, NO_BODY, type RequestFacts } from "../../src/detection/facts.ts";
import { atOnce } from "../../src/support/turns.ts";
import { HOSTILE_TEXTS } from "../../test/detection/hostile-texts.ts";
import { compileRelease, RELEASE_RULES } from "../../test/detection/release.ts";

/**
 * What it costs to hold a request against a rule set at paranoia level 1, its facts being there: `npm run bench:rules -- FOLDER`, the
 * `rules` folder of a release of the OWASP Core Rule Set. Every request has values that none before it had. CPU time of this
 * process, beside reading the same JSON in the same turn.
 */
const folder = process.argv[2] ?? RELEASE_RULES;
if (!existsSync(folder)) {
  console.error(`there is no folder '${folder}'; expected the rules of a release of the OWASP Core Rule Set`);
  process.exit(2);
}
const PLENTY = { bytes: 1e9, patterns: 1e9, steps: 1e12 };
const TURNS = 9;

interface Asked {
  readonly request: RequestFacts;
  readonly body: BodyFacts;
  readonly json: string;
}

const POST_HEADERS = [
  ["Content-Type", "application/json"],
  ["Content-Length", "1900"],
] as const;
const flat = (text: string): string => Buffer.from(text, "latin1").toString("latin1");
const entry = (name: string, value: string): NamedText => ({ name: flat(name), value: flat(value), shape: -1 });

function requestOf(method: string, path: string, args: readonly NamedText[], number: number): RequestFacts {
  const query = args.map(({ name, value }) => `${name}=${value}`).join("&");
  const uri = flat(query === "" ? path : `${path}?${query}`);
  const headers: readonly (readonly [string, string])[] = [
    ["Host", "api.example.com"],
    ["User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"],
    ["Accept", "application/json"],
    ["Accept-Encoding", "gzip, deflate, br"],
    ["Accept-Language", "en-US,en;q=0.9"],
    ["Authorization", `Bearer ey${(number * 7919).toString(36)}.eyJzdWIiOiI0MiJ9.c2ln`],
    ["X-Request-Id", `${number}-4f3c`],
    ...(method === "POST" ? POST_HEADERS : []),
  ];
  return {
    method,
    uri,
    uriRaw: uri,
    path: flat(path),
    query: flat(query),
    protocol: "HTTP/1.1",
    remoteAddress: "192.0.2.1",
    id: `${number}`,
    bodyProcessor: method === "POST" ? "JSON" : "",
    headers: headers.map(([name, value]) => entry(name, value)),
    cookies: [],
    argsPath: [],
    argsGet: args,
  };
}

function get(number: number): Asked {
  const args = [entry("page", `${number % 50}`), entry("q", `shoes${number}`), entry("sort", "asc")];
  return { request: requestOf("GET", `/v1/orders/${number}`, args, number), body: NO_BODY, json: "" };
}

const order = (at: number): object => ({
  id: `ord_${(at * 7919).toString(36)}`,
  number: 1_000_000 + at,
  status: at % 3 === 0 ? "PENDING" : "PAID",
  createdAt: new Date(1.7e12 + at * 1e7).toISOString(),
  total: { amount: ((at * 137) % 100_000) / 100, currency: "EUR" },
  customer: { id: `c-${at}`, name: "Jane Example", city: "Berlin" },
  links: { self: `https://api.example.com/v1/orders/${at}` },
  items: [{ sku: `A-${at % 100}`, quantity: at % 5, price: 12.5 }],
  note: `please ring the bell at the back door of number ${at}`,
});

function post(number: number): Asked {
  const value = Array.from({ length: 5 }, (_, at) => order(number * 10 + at));
  const json = JSON.stringify(value);
  const args = leaves(value, "json");
  const body: BodyFacts = { ...NO_BODY, processor: "JSON", args, length: json.length };
  return { request: requestOf("POST", "/v1/orders", [], number), body, json };
}

function leaves(value: unknown, path: string): NamedText[] {
  if (typeof value !== "object" || value === null) return [entry(path, String(value))];
  return Object.entries(value).flatMap(([name, member]) => leaves(member, `${path}.${name}`));
}

function cpuUs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

const begun = performance.now();
const { rules, listing } = compileRelease(1, folder);
const running = listing.filter(({ status }) => status === "runs").length;
console.log(`${running} rules run, compiled in ${(performance.now() - begun).toFixed(0)} ms`);
const route = rules.forRoute({ exclusions: [], constraints: [] });

let hits = 0;
let read = 0;
function judge({ request, body }: Asked): void {
  const transaction = route.begin(request, PLENTY);
  atOnce(transaction.head());
  atOnce(transaction.body(body));
  hits += transaction.hits.length;
}

for (const [name, make, times] of [
  ["GET with eight headers and three parameters", get, 2_000],
  ["POST of 2 KB JSON with 70 leaves", post, 400],
] as const) {
  let number = 0;
  const turns = Array.from({ length: TURNS }, () => {
    const asked = Array.from({ length: times }, () => make(++number));
    const judged = cpuUs(() => {
      for (const one of asked) judge(one);
    });
    const parsed = cpuUs(() => {
      for (const { json } of asked) if (json !== "") read += JSON.stringify(JSON.parse(json)).length;
    });
    return { judged: judged / times, parsed: parsed / times };
  });
  turns.sort((a, b) => a.judged - b.judged);
  const { judged, parsed } = turns[TURNS >> 1] ?? { judged: 0, parsed: 0 };
  const least = turns[0]?.judged ?? 0;
  const beside = parsed < 1 ? "" : `; JSON.parse and stringify ${parsed.toFixed(1)} µs`;
  console.log(`${name}: ${judged.toFixed(1)} µs (least ${least.toFixed(1)})${beside}`);
}
const HOSTILE_ROUNDS = 12;

/** Milliseconds of each step. */
function stepsOf(value: string, number: number): number[] {
  const { request } = post(number);
  const body: BodyFacts = { ...NO_BODY, processor: "JSON", args: [entry("json.text", value)], length: value.length };
  const transaction = route.begin(request, PLENTY);
  const taken: number[] = [];
  for (const steps of [transaction.head(), transaction.body(body)]) {
    for (let done: boolean | undefined = false; done !== true; ) {
      const before = performance.now();
      done = steps.next().done;
      taken.push(performance.now() - before);
    }
  }
  return taken;
}

for (const [name, text] of Object.entries(HOSTILE_TEXTS)) {
  const rounds = Array.from({ length: HOSTILE_ROUNDS }, (_, round) => stepsOf(text, round));
  // The least of each, for the machine has other work, too. A first round makes what it needs, and may take more steps.
  const last = rounds.at(-1) ?? [];
  const same = rounds.filter((steps) => steps.length === last.length);
  const least = last.map((_, at) => Math.min(...same.map((steps) => steps[at] ?? Number.POSITIVE_INFINITY)));
  const sum = least.reduce((all, ms) => all + ms, 0);
  const longest = Math.max(...least).toFixed(2);
  console.log(`64 KiB of ${name}: ${sum.toFixed(0)} ms in ${least.length} steps, the longest ${longest} ms`);
}
if (hits > 0) console.log(`${hits} hits: the requests are not as usual as they should be`);
if (read === 0) console.log("nothing was read");
