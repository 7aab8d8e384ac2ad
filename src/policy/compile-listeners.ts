import { buildCidrTable, type CidrTable } from "../matching/cidr-table.ts";
import type { HttpProtocol } from "../message/connection.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { nearestHint } from "../support/schema.ts";
import { collide, isLoopback } from "./addresses.ts";
import { compileTls } from "./compile-tls.ts";
import type { Fields } from "./entries.ts";
import type { Path } from "./path.ts";
import { listenerShape } from "./schema.ts";
import type { ListenAddress, ListenerSettings } from "./snapshot.ts";
import type { Work } from "./work.ts";

type ListenerFields = Fields<typeof listenerShape>;

/** Section `listeners`. */
export function compileListeners(work: Work): void {
  const count = work.reader.listLength(["listeners"]);
  if (work.reader.raw(["listeners"]) === undefined) work.problem("'listeners' is missing; expected at least one", []);
  else if (count === 0) work.problem("expected at least one listener", ["listeners"]);
  const seen: { readonly fields: ListenerFields; readonly path: Path }[] = [];
  for (let at = 0; at < count; at++) {
    const path = ["listeners", at];
    const fields = work.reader.fields(listenerShape, path);
    for (const earlier of seen) checkApart(work, fields, path, earlier);
    seen.push({ fields, path });
    const listener = compileListener(work, fields, path);
    if (listener !== null) work.listeners.push(listener);
  }
}

function compileListener(work: Work, fields: ListenerFields, path: Path): ListenerSettings | null {
  const { name, address } = fields;
  checkPlaintext(work, fields, path);
  const tls = fields.tls === undefined ? null : compileTls(work, name ?? "", fields.tls, [...path, "tls"]);
  const trustedProxies = compileTrustedProxies(work, fields.trustedProxies ?? [], [...path, "trustedProxies"]);
  const upstream = chooseUpstream(work, fields.upstream, path);
  if (name === undefined || address === undefined || upstream === null) return null;
  return {
    name,
    address,
    place: work.reader.document.place(path),
    tls,
    protocols: compileProtocols(work, fields, path),
    trustedProxies,
    upstream,
    headBytesMax: fields.maxHeadBytes ?? DEFAULTS.headBytesMax,
    headersCountMax: fields.maxHeaders ?? DEFAULTS.headersCountMax,
    headTimeoutMs: fields.headTimeout ?? DEFAULTS.headTimeoutMs,
    idleTimeoutMs: fields.idleTimeout ?? DEFAULTS.idleTimeoutMs,
    bodyProgressTimeoutMs: fields.bodyProgressTimeout ?? DEFAULTS.bodyProgressTimeoutMs,
    connectionsMax: fields.maxConnections ?? DEFAULTS.connectionsMax,
  };
}

/** With TLS the client chooses by ALPN; without, HTTP/2 is known by its preface, and only where the policy names it. */
function compileProtocols(work: Work, { protocols }: ListenerFields, path: Path): readonly HttpProtocol[] {
  const hasTls = work.reader.raw([...path, "tls"]) !== undefined;
  if (protocols === undefined) return hasTls ? ["h2", "http/1.1"] : ["http/1.1"];
  const wrongAt = protocols.indexOf(hasTls ? "h2c" : "h2");
  if (wrongAt >= 0) {
    const reason = hasTls ? "h2c is HTTP/2 without TLS; expected h2" : "h2 is HTTP/2 with TLS; expected h2c";
    work.problem(reason, [...path, "protocols", wrongAt]);
  }
  return [...new Set(protocols.map((name) => (name === "h2c" ? "h2" : name)))];
}

/** Credentials in clear text may travel inside the machine only, unless the policy says so in a word. */
function checkPlaintext(work: Work, { address, plaintext }: ListenerFields, path: Path): void {
  const hasTls = work.reader.raw([...path, "tls"]) !== undefined;
  if (hasTls && plaintext !== undefined)
    work.warning("'tls' is there, so 'plaintext' is of no use", [...path, "plaintext"]);
  if (hasTls || address === undefined || work.reader.raw([...path, "plaintext"]) !== undefined) return;
  if (address.type !== "tcp" || isLoopback(address.host)) return;
  work.problem(
    "plain HTTP on an address that other machines reach; expected 'tls', a loopback address, or 'plaintext: allowed'",
    [...path, "address"],
  );
}

function checkApart(
  work: Work,
  fields: ListenerFields,
  path: Path,
  earlier: { readonly fields: ListenerFields; readonly path: Path },
): void {
  const line = work.reader.document.place(earlier.path).line;
  if (fields.name !== undefined && fields.name === earlier.fields.name) {
    work.problem(`the listener at line ${line} has the name '${fields.name}' too; expected another`, [...path, "name"]);
  }
  if (fields.address !== undefined && earlier.fields.address !== undefined) {
    if (!haveSameSocket(fields.address, earlier.fields.address)) return;
    work.problem(`the listener at line ${line} takes this address already`, [...path, "address"]);
  }
}

function haveSameSocket(a: ListenAddress, b: ListenAddress): boolean {
  if (a.type === "tcp" && b.type === "tcp") return collide(a, b);
  return a.type === "unix" && b.type === "unix" && a.path === b.path;
}

function compileTrustedProxies(work: Work, prefixes: readonly string[], path: Path): CidrTable | null {
  if (prefixes.length === 0) return null;
  const table = buildCidrTable(prefixes);
  if (table.ok) {
    if (prefixes.some((prefix) => /\/0+$/.test(prefix))) {
      work.problem(
        "a prefix of length 0 would believe anyone's X-Forwarded-For; expected your proxies' networks",
        path,
      );
    }
    return table.value;
  }
  for (const fault of table.error) work.problem(fault.text, [...path, fault.index]);
  return null;
}

/** The upstream that a listener names; where it names none, the only one. */
function chooseUpstream(work: Work, name: string | undefined, path: Path): string | null {
  const names = [...work.upstreams.defined];
  if (name !== undefined) return checkUpstream(work, name, [...path, "upstream"]) ? name : null;
  if (work.reader.raw([...path, "upstream"]) !== undefined) return null;
  const [only, ...more] = names;
  if (only !== undefined && more.length === 0) {
    work.upstreams.isDefined(only);
    return only;
  }
  if (names.length > 0) work.problem(`'upstream' is missing; expected one of: ${names.join(", ")}`, path);
  return null;
}

/** Reports a name that `upstreams` does not have. */
export function checkUpstream(work: Work, name: string, path: Path): boolean {
  if (work.upstreams.isDefined(name)) return true;
  work.problem(`no upstream '${name}' is defined; ${nearestHint(name, [...work.upstreams.defined])}`, path);
  return false;
}
