import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { createTestPki } from "../fixtures/pki.ts";
import { startProvider, type TestProvider } from "../fixtures/provider.ts";
import { type Postern, percentile, startPostern } from "./kit.ts";

/**
 * Bad days of an identity provider: keys that turn every second, none at all, tokens that name keys which nobody has, and
 * signatures that no key has made.
 */

const REQUESTS_PER_SECOND = 2_000;
/** A provider publishes a key before it signs, so long that each fetch brings those of the time until the next. */
const KEYS_AHEAD = 45;
/** And it takes none back while tokens that it signed are on their way. */
const KEYS_BEHIND = 120;
const TOKENS_PER_SECOND = 50;
const BAD_TOKENS_PER_SECOND = 500;
const ISSUER_PATH = "/keys";

type PrivateKey = Awaited<ReturnType<typeof generateKeyPair>>["privateKey"];

interface Key {
  readonly kid: string;
  readonly jwk: JWK;
  readonly privateKey: PrivateKey;
}

/** Keys in the order in which they sign; the one that signs now moves on with `turn`. */
class Rotation {
  readonly #keys: Key[];
  readonly #provider: TestProvider;
  #at = 0;
  /** How many of the keys to come are published already. */
  #ahead = KEYS_AHEAD;

  constructor(keys: Key[], provider: TestProvider) {
    this.#keys = keys;
    this.#provider = provider;
    this.#publish();
  }

  turn(ahead: number): void {
    this.#at = Math.min(this.#at + 1, this.#keys.length - 1);
    this.#ahead = ahead;
    this.#publish();
  }

  token(): Promise<string> {
    const key = this.#keys[this.#at];
    if (key === undefined) throw new Error("no key");
    return sign(key);
  }

  /** To keys that nobody was told of; from now on each is published when it signs. */
  surprise(): void {
    this.#at += KEYS_AHEAD;
    this.turn(1);
  }

  #publish(): void {
    const published = this.#keys.slice(Math.max(0, this.#at - KEYS_BEHIND), this.#at + this.#ahead);
    this.#provider.answers.set(ISSUER_PATH, { keys: published.map(({ jwk }) => jwk) });
  }
}

async function makeKey(at: number): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const kid = `key-${at}`;
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: "ES256", use: "sig" } };
}

function sign({ privateKey, kid }: Key): Promise<string> {
  return new SignJWT({ sub: "ann" })
    .setProtectedHeader({ alg: "ES256", kid })
    .setIssuer("https://idp.example.org")
    .setAudience("orders")
    .setIssuedAt()
    .setExpirationTime("5m")
    .sign(privateKey);
}

/** The token with other members and nobody's signature: it costs its forger nothing. */
function forge(token: string, headerMembers: object, claims: object): string {
  const [header = "", payload = ""] = token.split(".");
  const changed = (part: string, members: object): string => {
    const json = JSON.parse(Buffer.from(part, "base64url").toString());
    return Buffer.from(JSON.stringify({ ...json, ...members })).toString("base64url");
  };
  return `${changed(header, headerMembers)}.${changed(payload, claims)}.${randomBytes(64).toString("base64url")}`;
}

export interface KeyFigures extends Answers {
  readonly name: string;
  readonly fetches: number;
  /** Of one core, by postern. */
  readonly cpuShare: number;
}

interface BadDay {
  readonly name: string;
  /** Makes it so, and gives what ends it. */
  begin(): () => void;
}

/** `seconds` for each bad day, told when it is over. */
export async function* badDays(app: number, seconds: number): AsyncGenerator<KeyFigures> {
  const pki = await createTestPki();
  const provider = await startProvider(pki);
  const keys = await Promise.all(Array.from({ length: 2 * (seconds + KEYS_AHEAD) + 2 }, (_, at) => makeKey(at)));
  const rotation = new Rotation(keys, provider);
  const postern = await startPostern((port, admin, folder) => {
    writeFileSync(join(folder, "ca.pem"), pki.ca.certificate);
    return policy(port, admin, app, `${provider.origin}${ISSUER_PATH}`);
  });
  await ask(postern, Math.min(5, seconds), () => rotation.token()); // so that the first row is as warm as the last
  for (const { name, begin } of daysOf(provider, rotation, postern)) {
    const [fetchesBefore, cpuBefore] = [provider.asked.length, cpuSeconds(await postern.metrics())];
    const end = begin();
    const answers = await ask(postern, seconds, () => rotation.token());
    end();
    const cpuShare = (cpuSeconds(await postern.metrics()) - cpuBefore) / seconds;
    yield { name, fetches: provider.asked.length - fetchesBefore, cpuShare, ...answers };
  }
  await postern.stop();
}

function daysOf(provider: TestProvider, rotation: Rotation, postern: Postern): readonly BadDay[] {
  const every = (ms: number, run: () => unknown) => () => {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  };
  const flood = (makeBad: (token: string) => string) => () => {
    let good = "";
    void rotation.token().then((token) => {
      good = token;
    });
    return every(1_000 / BAD_TOKENS_PER_SECOND, () => good !== "" && send(postern, makeBad(good), badAgent))();
  };
  return [
    { name: "a quiet day", begin: () => () => {} },
    {
      name: `keys turn every second, published ${KEYS_AHEAD} s ahead`,
      begin: every(1_000, () => rotation.turn(KEYS_AHEAD)),
    },
    {
      name: `${BAD_TOKENS_PER_SECOND} tokens a second that name invented keys`,
      begin: flood((token) => forge(token, { kid: `invented-${Math.random()}` }, {})),
    },
    {
      name: `${BAD_TOKENS_PER_SECOND} forged signatures a second`,
      begin: flood((token) => forge(token, {}, {})),
    },
    {
      name: `${BAD_TOKENS_PER_SECOND} expired tokens a second`,
      begin: flood((token) => forge(token, {}, { exp: 1_700_000_000 })),
    },
    {
      name: "the provider is down",
      begin: () => {
        provider.goDown();
        return () => provider.comeUp();
      },
    },
    {
      name: "keys turn every second, published when they sign",
      begin: () => {
        rotation.surprise();
        return every(1_000, () => rotation.turn(1))();
      },
    },
  ];
}

function policy(port: number, admin: number, app: number, keys: string): string {
  return `version: 1
service: target
listeners: [{ name: inbound, address: "127.0.0.1:${port}" }]
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}" }
log: { access: off }
authenticators:
  idp:
    type: jwt
    issuer: https://idp.example.org
    audience: orders
    algorithms: [ES256]
    jwks: { url: "${keys}", ca: ca.pem }
routes: [{ path: /**, authenticate: [idp] }]
`;
}

function cpuSeconds(metrics: string): number {
  return Number(/^process_cpu_seconds_total (\S+)/m.exec(metrics)?.[1]);
}

const goodAgent = new Agent({ keepAlive: true, maxSockets: 64 });
const badAgent = new Agent({ keepAlive: true, maxSockets: 64 });

function send({ port }: Postern, token: string, agent: Agent): Promise<number> {
  return new Promise((done) => {
    const options = { port, host: "127.0.0.1", agent, headers: { authorization: `Bearer ${token}` } };
    const asking = request(options, (response) => {
      response.resume();
      response.once("end", () => done(response.statusCode ?? 0));
    });
    asking.once("error", () => done(0));
    asking.end();
  });
}

interface Answers {
  readonly asked: number;
  /** 401: taken for bad. */
  readonly refused: number;
  /** 503, or no answer. */
  readonly unanswered: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Good requests at the rate, with a new token now and then. */
async function ask(postern: Postern, seconds: number, makeToken: () => Promise<string>): Promise<Answers> {
  const latenciesMs: number[] = [];
  const pending = new Set<Promise<void>>();
  let token = await makeToken();
  const statuses = new Map<number, number>();
  const tokens = setInterval(() => void makeToken().then((made) => (token = made)), 1_000 / TOKENS_PER_SECOND);
  const startedMs = performance.now();
  let sent = 0;
  for (let nowMs = startedMs; nowMs < startedMs + seconds * 1_000; nowMs = performance.now()) {
    const due = Math.floor(((nowMs - startedMs) / 1_000) * REQUESTS_PER_SECOND);
    for (; sent < due; sent++) {
      const sentMs = performance.now();
      const one = send(postern, token, goodAgent).then((status) => {
        latenciesMs.push(performance.now() - sentMs);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        pending.delete(one);
      });
      pending.add(one);
    }
    await new Promise((done) => setTimeout(done, 1));
  }
  clearInterval(tokens);
  await Promise.all(pending);
  const [good, refused] = [statuses.get(200) ?? 0, statuses.get(401) ?? 0];
  return {
    asked: sent,
    refused,
    unanswered: sent - good - refused,
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
  };
}
