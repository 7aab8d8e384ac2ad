import { writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { createTestPki } from "../fixtures/pki.ts";
import { startProvider, type TestProvider } from "../fixtures/provider.ts";
import { type Postern, percentile, startPostern } from "./kit.ts";

/** Bad days of an identity provider: keys that turn every second, none at all, and tokens that name keys which nobody has. */

const REQUESTS_PER_SECOND = 2_000;
/** A provider publishes a key before it signs, so long that each fetch brings those of the time until the next. */
const KEYS_AHEAD = 45;
const KEYS_BEHIND = 5;
const TOKENS_PER_SECOND = 50;
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

  constructor(keys: Key[], provider: TestProvider) {
    this.#keys = keys;
    this.#provider = provider;
    this.#publish();
  }

  turn(): void {
    this.#at = Math.min(this.#at + 1, this.#keys.length - 1);
    this.#publish();
  }

  token(): Promise<string> {
    const key = this.#keys[this.#at];
    if (key === undefined) throw new Error("no key");
    return sign(key, key.kid);
  }

  #publish(): void {
    const published = this.#keys.slice(Math.max(0, this.#at - KEYS_BEHIND), this.#at + KEYS_AHEAD);
    this.#provider.answers.set(ISSUER_PATH, { keys: published.map(({ jwk }) => jwk) });
  }
}

async function makeKey(at: number): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const kid = `key-${at}`;
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: "ES256", use: "sig" } };
}

function sign({ privateKey }: Key, kid: string): Promise<string> {
  return new SignJWT({ sub: "ann" })
    .setProtectedHeader({ alg: "ES256", kid })
    .setIssuer("https://idp.example.org")
    .setAudience("orders")
    .setIssuedAt()
    .setExpirationTime("5m")
    .sign(privateKey);
}

export interface KeyFigures {
  readonly name: string;
  readonly asked: number;
  readonly refused: number;
  readonly fetches: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Three bad days, `seconds` each. */
export async function badDays(app: number, seconds: number): Promise<readonly KeyFigures[]> {
  const pki = await createTestPki();
  const provider = await startProvider(pki);
  const keys = await Promise.all(Array.from({ length: seconds + KEYS_AHEAD + 1 }, (_, at) => makeKey(at)));
  const rotation = new Rotation(keys, provider);
  const postern = await startPostern((port, admin, folder) => {
    writeFileSync(join(folder, "ca.pem"), pki.ca.certificate);
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
    jwks: { url: "${provider.origin}${ISSUER_PATH}", ca: ca.pem }
routes: [{ path: /**, authenticate: [idp] }]
`;
  });
  const run = async (name: string, during: () => () => void): Promise<KeyFigures> => {
    const before = provider.asked.length;
    const end = during();
    const load = await ask(postern, seconds, () => rotation.token());
    end();
    return { name, fetches: provider.asked.length - before, ...load };
  };
  const figures = [
    await run("a quiet day", () => () => {}),
    await run("keys turn every second", () => {
      const timer = setInterval(() => rotation.turn(), 1_000);
      return () => clearInterval(timer);
    }),
    await run("tokens that name invented keys, 500 a second beside", () => {
      const stranger = makeKey(-1);
      const timer = setInterval(() => {
        void stranger.then((key) => sign(key, `invented-${Math.random()}`)).then((token) => send(postern, token));
      }, 2);
      return () => clearInterval(timer);
    }),
    await run("the provider is down", () => {
      provider.goDown();
      return () => provider.comeUp();
    }),
  ];
  await postern.stop();
  return figures;
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

function send({ port }: Postern, token: string): Promise<number> {
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

/** Good requests at the rate, with a new token now and then. */
async function ask(
  postern: Postern,
  seconds: number,
  makeToken: () => Promise<string>,
): Promise<Pick<KeyFigures, "asked" | "refused" | "p50Ms" | "p99Ms">> {
  const latenciesMs: number[] = [];
  const pending = new Set<Promise<void>>();
  let token = await makeToken();
  let refused = 0;
  const tokens = setInterval(() => void makeToken().then((made) => (token = made)), 1_000 / TOKENS_PER_SECOND);
  const startedMs = performance.now();
  let sent = 0;
  for (let nowMs = startedMs; nowMs < startedMs + seconds * 1_000; nowMs = performance.now()) {
    const due = Math.floor(((nowMs - startedMs) / 1_000) * REQUESTS_PER_SECOND);
    for (; sent < due; sent++) {
      const sentMs = performance.now();
      const one = send(postern, token).then((status) => {
        latenciesMs.push(performance.now() - sentMs);
        if (status !== 200) refused++;
        pending.delete(one);
      });
      pending.add(one);
    }
    await new Promise((done) => setTimeout(done, 1));
  }
  clearInterval(tokens);
  await Promise.all(pending);
  return { asked: sent, refused, p50Ms: percentile(latenciesMs, 0.5), p99Ms: percentile(latenciesMs, 0.99) };
}
