import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { basename } from "node:path";
import { jwtKind } from "../../src/filters/jwt/compile.ts";
import type { JwtAuthenticator } from "../../src/filters/jwt/evaluate.ts";
import type { Acquisition, Resources } from "../../src/resources/registry.ts";
import { Waiting } from "../../src/resources/waiting.ts";
import { err, ok } from "../../src/support/result.ts";
import { atOnce, stepsOf } from "../../src/support/turns.ts";
import { onClose } from "../fixtures/closing.ts";
import { eventually } from "../fixtures/eventually.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { MemoryFiles, outsideContext, testResources } from "../fixtures/outside.ts";
import type { TestPki } from "../fixtures/pki.ts";
import { startProvider, type TestProvider } from "../fixtures/provider.ts";
import { FakeClock, NOW_MS, request, testContext } from "./identity-context.ts";
import { CLAIMS, jwk, makeToken, rs256 } from "./jwt-kit.ts";

export interface Signer {
  readonly kid: string;
  readonly jwk: Record<string, unknown>;
  readonly key: KeyObject;
}

export function signer(kid: string): Signer {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { kid, jwk: jwk(publicKey, { kid, use: "sig", alg: "RS256" }), key: privateKey };
}

export interface KeySetRig {
  readonly provider: TestProvider;
  readonly issuer: string;
  readonly time: ManualTime;
  readonly files: MemoryFiles;
  readonly registry: Resources;
  readonly notes: string[];
  /** By file name. */
  readonly secrets: Record<string, string>;
  readonly problems: string[];
  readonly warnings: string[];
  /** Compiles, and puts in force. */
  open(settings?: Record<string, unknown>): JwtAuthenticator;
  publish(...signers: readonly Signer[]): void;
  /** Of this issuer, signed by `by`; claims are laid over a good token's. */
  token(by: Signer, claims?: Record<string, unknown>, header?: Record<string, unknown>): string;
  ask(authenticator: JwtAuthenticator, token: string): ReturnType<JwtAuthenticator["authenticate"]>;
  fetches(): number;
  /** Unix seconds. */
  now(): number;
  /** The key set's state and detail. */
  state(): string;
  settled(state: string): Promise<void>;
}

export interface RigOptions {
  readonly stateDirectory?: string | null;
  readonly files?: MemoryFiles;
  readonly provider?: TestProvider;
}

/** An issuer with discovery at `/`, keys at `/keys`, and a registry whose time stands still. */
export async function keySetRig(pki: TestPki, options: RigOptions = {}): Promise<KeySetRig> {
  const provider = options.provider ?? (await startProvider(pki));
  const files = options.files ?? new MemoryFiles();
  const time = new ManualTime(NOW_MS);
  const secrets: Record<string, string> = {};
  const readFile = (name: string) => {
    const text = secrets[basename(name)];
    return text === undefined ? err("does not exist") : ok(Buffer.from(text));
  };
  const registry = testResources({ clock: time, timers: time, files, readFile });
  onClose(() => registry.close());
  const notes: string[] = [];
  registry.reportTo({
    onState: ({ state, detail }, before) => notes.push(`${before} → ${state} (${detail})`),
    onNote: (_, text) => notes.push(text),
    onFolder: (_, file, text) => notes.push(`${file}: ${text}`),
  });
  const issuer = provider.origin;
  provider.answers.set("/.well-known/openid-configuration", { issuer, jwks_uri: `${issuer}/keys` });
  const problems: string[] = [];
  const warnings: string[] = [];
  const state = () => registry.statuses().map((status) => `${status.state}: ${status.detail}`)[0] ?? "none";
  return {
    provider,
    issuer,
    time,
    files,
    registry,
    notes,
    secrets,
    problems,
    warnings,
    open: (settings = {}) => {
      const acquisition: Acquisition = registry.begin(options.stateDirectory ?? null);
      const base = testContext({ "ca.pem": pki.ca.certificate }, new FakeClock());
      const context = {
        ...base,
        ...outsideContext(secrets),
        clock: time,
        resource: acquisition.acquire.bind(acquisition),
        hasState: options.stateDirectory !== undefined,
        // Requests wait in real time, for calls do.
        waiting: new Waiting({ after: (ms, run) => clearTimeout.bind(null, setTimeout(run, ms)) }),
      };
      const parsed = jwtKind.schema.parse({
        type: "jwt",
        issuer,
        audience: "orders",
        algorithms: ["RS256", "ES256"],
        jwks: { ca: "ca.pem" },
        ...settings,
      });
      const authenticator = atOnce(stepsOf(jwtKind.compile("okta", parsed, context)));
      problems.push(...base.problems);
      warnings.push(...base.warnings);
      if (authenticator === null) throw new Error(base.problems.join("\n"));
      registry.follow(acquisition);
      return authenticator as JwtAuthenticator;
    },
    publish: (...signers) => provider.answers.set("/keys", { keys: signers.map((one) => one.jwk) }),
    token: (by, claims = {}, header = {}) =>
      makeToken({ alg: "RS256", kid: by.kid, ...header }, { ...CLAIMS, iss: issuer, ...claims }, rs256(by.key)),
    ask: (authenticator, token) => authenticator.authenticate(request([["authorization", `Bearer ${token}`]])),
    fetches: () => provider.asked.filter((path) => path === "/keys").length,
    now: () => Math.floor(time.wallMs() / 1000),
    state,
    settled: async (wanted) => {
      await eventually(() => state() === wanted, 20_000).catch(() => {
        throw new Error(`expected ${wanted}, got ${state()}: ${registry.statuses()[0]?.fault?.text}`);
      });
    },
  };
}
