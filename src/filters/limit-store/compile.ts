import { hash } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { StoreAddress, StoreTls } from "../../limits/redis/link.ts";
import { openLink } from "../../limits/redis/open-link.ts";
import { LimitStore } from "../../limits/redis/store.ts";
import type { SecretReference } from "../../support/secret.ts";
import { withoutMark } from "../../support/text.ts";
import type { CompileContext, LimitStoreUse } from "../filter.ts";
import { SharedLimit } from "./evaluate.ts";
import type { StoreSettings } from "./schema.ts";
import type { StoreUrl } from "./url.ts";

export { storeSchema } from "./schema.ts";

/** An entry of `stores` → what limits count in, or null with problems reported. */
export function compileStore(name: string, settings: StoreSettings, context: CompileContext): LimitStoreUse | null {
  const address = compileAddress(settings, context);
  if (address === null) return null;
  const { prefix, timeout: timeoutMs, onFailure } = settings;
  if (onFailure === "open") {
    context.warning("fails_open", "whoever can keep this store from answering is not limited by it", "onFailure");
  }
  const identity = JSON.stringify([address, prefix, timeoutMs]);
  const store = context.resource(
    "limit store",
    [identity],
    (world) => new LimitStore({ name, address, prefix, timeoutMs, open: openLink }, world),
  );
  return {
    name,
    place: context.place(),
    share: (limit, lease) => {
      const id = `${limit.name}:${hash("sha256", `${limit.storedAs} ${limit.key.reader.identity}`).slice(0, 8)}`;
      const counter = { id, terms: limit.terms, lease: lease ?? settings.lease ?? 0 };
      const { terms } = limit;
      const whole = terms.kind === "quota" ? terms.limit : 0;
      limit.useStore?.({ store: name, limit: whole, look: (text, isReset) => store.look(counter, text, isReset) });
      return new SharedLimit({ limit, store, storeName: name, onFailure, counter });
    },
  };
}

function compileAddress(settings: StoreSettings, context: CompileContext): StoreAddress | null {
  const { url: urls, sentinel, cluster } = settings;
  const [first] = urls;
  if (first === undefined) return null;
  let sound = true;
  const problem = (text: string, ...path: string[]): void => {
    sound = false;
    context.problem(text, ...path);
  };
  if (urls.some(({ isSecure }) => isSecure !== first.isSecure)) {
    problem("some of the addresses have TLS and some have not; expected all of them, or none", "url");
  }
  if (urls.some(({ database }) => database !== first.database)) problem("expected one database for all of them", "url");
  if (sentinel !== undefined && cluster === true) problem("both 'sentinel' and 'cluster'; expected one of them");
  if (urls.length > 1 && sentinel === undefined && cluster === undefined) {
    problem("several addresses; expected 'sentinel' or 'cluster', which say what they are of", "url");
  }
  if (cluster === true && (first.database ?? 0) !== 0) problem("a cluster has no databases but 0", "url");
  warnOfClearText(urls, settings, context);
  const tls = compileTls(settings, first.isSecure, context);
  const credentials = {
    username: text(settings.username, context, "username"),
    password: text(settings.password, context, "password"),
    sentinelUsername: text(sentinel?.username, context, "sentinel", "username"),
    sentinelPassword: text(sentinel?.password, context, "sentinel", "password"),
  };
  if (credentials.username !== null && settings.password === undefined) {
    problem("'password' is missing; expected the password of 'username'");
  }
  if (!sound || tls === undefined || Object.values(credentials).includes(undefined)) return null;
  return {
    hosts: urls.map(({ host, port }) => ({ host, port })),
    kind: sentinel !== undefined ? "sentinel" : cluster === true ? "cluster" : "single",
    master: sentinel?.master ?? "",
    database: first.database ?? 0,
    ...(credentials as Pick<StoreAddress, keyof typeof credentials>),
    tls,
  };
}

function warnOfClearText(urls: readonly StoreUrl[], { password }: StoreSettings, context: CompileContext): void {
  const far = urls.find(({ isSecure, host }) => !isSecure && !/^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host));
  if (far === undefined) return;
  const what = password === undefined ? "reads and changes what is counted" : "reads the password too";
  context.warning(
    "in_the_clear",
    `in the clear to another machine: who listens on the way ${what}; expected rediss:`,
    "url",
  );
}

/** A name or a secret as text; null for none, undefined with a problem reported. */
function text(
  reference: string | SecretReference | undefined,
  context: CompileContext,
  ...path: string[]
): string | null | undefined {
  if (reference === undefined || typeof reference === "string") return reference ?? null;
  return context.secret(reference, ...path)?.toString("utf8");
}

/** Null for none, undefined with a problem reported. There is no way to leave out the verification of the store. */
function compileTls(settings: StoreSettings, isSecure: boolean, context: CompileContext): StoreTls | null | undefined {
  const keys = ["ca", "certificate", "key", "serverName"] as const;
  if (!isSecure) {
    const stray = keys.find((key) => settings[key] !== undefined);
    if (stray === undefined) return null;
    context.problem(`'${stray}' is for TLS; expected an address with rediss:`, stray);
    return undefined;
  }
  if ((settings.certificate === undefined) !== (settings.key === undefined)) {
    const missing = settings.key === undefined ? "key" : "certificate";
    context.problem(`'${missing}' is missing; expected a certificate and its key, or neither`);
    return undefined;
  }
  const read = (key: "ca" | "certificate" | "key"): string | null | undefined => {
    const file = settings[key];
    if (file === undefined) return null;
    const content = context.readFile(file, key);
    const plain = content === null ? null : withoutMark(content);
    if (plain?.ok === false) context.problem(`'${file}' is ${plain.error}`, key);
    return plain?.ok === true ? plain.value.toString("latin1") : undefined;
  };
  const ca = read("ca");
  const certificate = read("certificate");
  const key = read("key");
  if (ca === undefined || certificate === undefined || key === undefined) return undefined;
  try {
    createSecureContext({
      ...(ca === null ? {} : { ca }),
      ...(certificate === null || key === null ? {} : { cert: certificate, key }),
    });
  } catch {
    context.problem("TLS refuses these files; expected PEM: a certificate, and the private key that belongs to it");
    return undefined;
  }
  return { ca, certificate, key, serverName: settings.serverName ?? null };
}
