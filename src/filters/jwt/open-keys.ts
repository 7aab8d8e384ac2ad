import { createSecretKey } from "node:crypto";
import type { CallSettings } from "../../calls/call.ts";
import { hostsOf } from "../../calls/call-url.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { Result } from "../../support/result.ts";
import { decodeText } from "../../support/text.ts";
import type { Steps } from "../../support/turns.ts";
import { endpointToken } from "../endpoint-token.ts";
import type { CompileContext } from "../filter.ts";
import { KeyFetcher, type KeyOrigin } from "./key-fetcher.ts";
import { KeyRing } from "./key-ring.ts";
import { KeySet } from "./key-set.ts";
import { fixedKeys, type KeySource } from "./key-source.ts";
import { type KeyFile, readKeys } from "./keys.ts";
import { discoveryFault } from "./metadata-urls.ts";
import { type FullSettings, trustDomainsOf } from "./providers.ts";
import { type VerificationKey, verificationKey } from "./verification-key.ts";
import { WorkloadKeys } from "./workload-keys.ts";

/** Where the policy says that the keys are; null with a problem for whatever is wrong with it. */
export function* openKeys(name: string, settings: FullSettings, context: CompileContext): Steps<KeySource | null> {
  const { keys, jwks, secret } = settings;
  const named = Object.entries({ keys, jwks, secret }).flatMap(([key, value]) => (value === undefined ? [] : [key]));
  if (named.length > 1) {
    context.problem(`'${named.join("' and '")}' at once; expected one of them`, named[1] ?? "keys");
    return null;
  }
  if (secret !== undefined) return secretKey(settings, context);
  const hashes = settings.algorithms.filter((algorithm) => algorithm.startsWith("HS"));
  if (keys !== undefined) return yield* keysOfFiles(keys, new Set(settings.algorithms), context);
  if (hashes.length > 0) {
    context.problem(`${hashes.join(", ")} with keys that are published; expected 'secret', or 'keys'`, "algorithms");
    return null;
  }
  if (jwks?.socket !== undefined) return agentKeys(jwks.socket, settings, context);
  return publishedKeys(name, settings, context);
}

function agentKeys(socketPath: string, { subjects, algorithms }: FullSettings, context: CompileContext): KeySource {
  const [trustDomain = ""] = trustDomainsOf(subjects);
  const identity = [socketPath, trustDomain, algorithms.toSorted().join()];
  return context.resource(
    "SPIFFE JWT bundle",
    identity,
    (world) => new WorkloadKeys({ socketPath, trustDomain, algorithms: new Set(algorithms) }, world),
  );
}

function* keysOfFiles(
  files: readonly string[],
  pinned: ReadonlySet<string>,
  context: CompileContext,
): Steps<KeySource | null> {
  const keys: VerificationKey[] = [];
  let isSound = true;
  for (const file of files) {
    const bytes = context.readFile(file, "keys");
    const read = bytes === null ? null : yield* readKeyFile(bytes, pinned);
    if (read?.ok) keys.push(...read.value.keys);
    else isSound = false;
    if (read?.ok === false) context.problem(`'${file}': ${read.error}`, "keys");
    if (read?.ok)
      for (const fault of read.value.leftOut) context.warning("entry_left_out", `'${file}': left out ${fault}`, "keys");
  }
  if (keys.length > DEFAULTS.tokenKeysMax) {
    context.problem(`${keys.length} keys; expected at most ${DEFAULTS.tokenKeysMax}`, "keys");
    return null;
  }
  return isSound ? fixedKeys(new KeyRing(keys)) : null;
}

function* readKeyFile(bytes: Buffer, pinned: ReadonlySet<string>): Steps<Result<KeyFile, string>> {
  const text = decodeText(bytes);
  return text.ok ? yield* readKeys(text.value, pinned) : text;
}

function secretKey({ secret, algorithms }: FullSettings, context: CompileContext): KeySource | null {
  const bytes = secret === undefined ? null : context.secret(secret, "secret");
  if (bytes === null) return null;
  const key = verificationKey(null, createSecretKey(bytes));
  const unserved = algorithms.filter((algorithm) => !key.algorithms.has(algorithm));
  if (unserved.length === 0) return fixedKeys(new KeyRing([key]));
  const words = `${unserved.join(", ")} with a secret of ${bytes.length} bytes`;
  context.problem(`${words}; expected HS256 (32 bytes), HS384 (48) or HS512 (64), and at least so many`, "secret");
  return null;
}

/** A set that outlives the policy: policies with the same words about it have the same one. */
function publishedKeys(name: string, settings: FullSettings, context: CompileContext): KeySource | null {
  const { issuers, jwks, algorithms } = settings;
  const [issuer = ""] = issuers;
  const fault = jwks?.url === undefined ? originFault(issuers) : null;
  if (fault !== null) context.problem(fault, "issuer");
  const ca = jwks?.ca === undefined ? null : context.readFile(jwks.ca, "jwks", "ca");
  const isToken = jwks?.token === undefined || context.secret(jwks.token, "jwks", "token") !== null;
  if (fault !== null || !isToken || (ca === null && jwks?.ca !== undefined)) return null;
  if (!context.hasState) {
    context.warning(
      "state_missing",
      "without 'state' nobody who needs these keys gets in when postern starts while their provider is down",
    );
  }
  const url = jwks?.url;
  const origin: KeyOrigin = url === undefined ? { issuer } : { url };
  const place = url?.href ?? issuer;
  const named = hostsOf([new URL(place)]);
  const { proxy } = context;
  const identity = [
    url === undefined ? "issuer" : "url",
    place,
    ca ?? "",
    algorithms.toSorted().join(),
    JSON.stringify(jwks?.token ?? null),
    JSON.stringify(proxy),
  ];
  const token = endpointToken(jwks?.token, context, "jwks", "token");
  return context.resource("key set", identity, (world) => {
    const fetcher = new KeyFetcher(world.openCaller(keyCallSettings(ca, proxy, named)), origin, token(world));
    const id = JSON.stringify(identity.slice(0, 4).map((part) => part.toString("latin1")));
    return new KeySet({ name, id, algorithms: new Set(algorithms), fetcher }, world);
  });
}

/** Each issuer has keys of its own: one may not lend them to another. */
function originFault(issuers: readonly string[]): string | null {
  if (issuers.length === 1) return discoveryFault(issuers[0] ?? "");
  return `${issuers.length} issuers, whose keys are not in one place unless somebody says so; expected 'jwks' or 'keys'`;
}

/** How endpoints of keys are called. */
export function keyCallSettings(
  ca: Buffer | null,
  proxy: CallSettings["proxy"],
  namedHosts: CallSettings["namedHosts"],
): CallSettings {
  return {
    ca,
    certificate: null,
    key: null,
    proxy,
    namedHosts,
    socketPath: null,
    connectTimeoutMs: DEFAULTS.callConnectTimeoutMs,
    timeoutMs: DEFAULTS.callTimeoutMs,
    answerBytesMax: DEFAULTS.keySetBytesMax,
    breaks: false,
  };
}
