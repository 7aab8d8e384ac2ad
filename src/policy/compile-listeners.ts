import { HandshakeGate, type HandshakeRate } from "../limits/handshake-gate.ts";
import { buildCidrTable, type CidrTable } from "../matching/cidr-table.ts";
import { UNIX_PEER } from "../message/address.ts";
import type { HttpProtocol } from "../message/connection.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { choiceOf } from "../support/schema.ts";
import type { Rate } from "../support/units.ts";
import { collide, isLoopback } from "./addresses.ts";
import { checkUpstream } from "./check-upstream.ts";
import { compileTls } from "./compile-tls.ts";
import type { Fields } from "./entries.ts";
import { sections } from "./later-sections.ts";
import type { Path } from "./path.ts";
import { listenerShape } from "./schema.ts";
import type { ListenAddress, ListenerSettings, PeerSet } from "./snapshot.ts";
import type { Work } from "./work.ts";

/** Not those that are read key by key where they are compiled. */
const { tls: _, forwardedClientCertificate: __, ...listenerKeys } = listenerShape;

type ListenerFields = Fields<typeof listenerKeys>;

/** Section `listeners`. */
export function compileListeners(work: Work): void {
  const count = work.reader.listLength(["listeners"]);
  if (work.reader.raw(["listeners"]) === undefined && !work.isOpen)
    work.problem("'listeners' is missing; expected at least one", []);
  else if (count === 0) work.problem("expected at least one listener", ["listeners"]);
  const seen: Seen[] = [];
  if (count > DEFAULTS.listenersMax) {
    work.problem(`${count} listeners; expected at most ${DEFAULTS.listenersMax}`, ["listeners"]);
  }
  for (let at = 0; at < Math.min(count, DEFAULTS.listenersMax); at++) {
    const path = ["listeners", at];
    const fields = work.reader.fields(listenerKeys, path, ["tls", "forwardedClientCertificate"]);
    checkApart(work, fields, path, seen);
    seen.push({ fields, path });
    const listener = compileListener(work, fields, path);
    if (listener !== null) work.listeners.push(listener);
  }
}

interface Seen {
  readonly fields: ListenerFields;
  readonly path: Path;
}

function compileListener(work: Work, fields: ListenerFields, path: Path): ListenerSettings | null {
  const { name, address } = fields;
  checkPlaintext(work, fields, path);
  if (address !== undefined) work.sockets.push({ address, place: work.reader.document.place(path) });
  const tlsPath = [...path, "tls"];
  const tls = work.reader.raw(tlsPath) === undefined ? null : compileTls(work, name ?? "", tlsPath);
  const proxyProtocol = compileProxyProtocol(work, fields, [...path, "proxyProtocol", "from"]);
  const trustedProxies = compileTrustedProxies(work, fields.trustedProxies ?? [], [...path, "trustedProxies"]);
  const isTold = work.reader.raw([...path, "forwardedClientCertificate"]) !== undefined;
  const forwardedCertificates = isTold ? sections.get().compileForwardedCertificates(work, name ?? "", path) : null;
  const upstream = chooseUpstream(work, fields.upstream, path);
  if (forwardedCertificates === undefined || name === undefined || address === undefined || upstream === null)
    return null;
  return {
    name,
    address,
    place: work.reader.document.place(path),
    tls,
    protocols: compileProtocols(work, fields, path),
    proxyProtocol,
    trustedProxies,
    trustsForwardedHost: compileForwardedHost(work, fields, path),
    forwardedCertificates,
    upstream,
    handshakes: compileHandshakes(work, fields, path),
    ...limitsOf(fields),
  };
}

const UNLIMITED = Number.POSITIVE_INFINITY;

type Limits = Omit<
  ListenerSettings,
  | "name"
  | "address"
  | "place"
  | "tls"
  | "protocols"
  | "proxyProtocol"
  | "trustedProxies"
  | "trustsForwardedHost"
  | "forwardedCertificates"
  | "handshakes"
  | "upstream"
>;

function limitsOf(fields: ListenerFields): Limits {
  const connectionsMax = fields.maxConnections ?? DEFAULTS.connectionsMax;
  const addressConnectionsMax = Math.ceil(connectionsMax * DEFAULTS.addressConnectionsShare);
  return {
    headBytesMax: fields.maxHeadBytes ?? DEFAULTS.headBytesMax,
    headersCountMax: fields.maxHeaders ?? DEFAULTS.headersCountMax,
    handshakeTimeoutMs: fields.handshakeTimeout ?? DEFAULTS.handshakeTimeoutMs,
    headTimeoutMs: fields.headTimeout ?? DEFAULTS.headTimeoutMs,
    requestTimeoutMs: fields.requestTimeout ?? UNLIMITED,
    idleTimeoutMs: fields.idleTimeout ?? DEFAULTS.idleTimeoutMs,
    bodyBytesPerSecondMin: fields.bodyMinRate ?? DEFAULTS.bodyBytesPerSecondMin,
    bodyGraceMs: fields.bodyGrace ?? DEFAULTS.bodyGraceMs,
    bodyProgressTimeoutMs: fields.bodyProgressTimeout ?? DEFAULTS.bodyProgressTimeoutMs,
    writeTimeoutMs: fields.writeTimeout ?? DEFAULTS.writeTimeoutMs,
    connectionsMax,
    addressConnectionsMax: fields.maxConnectionsPerAddress ?? addressConnectionsMax,
    identityConnectionsMax: fields.maxConnectionsPerIdentity ?? UNLIMITED,
    requestsPerConnectionMax: fields.maxRequestsPerConnection ?? UNLIMITED,
    connectionAgeMaxMs: fields.maxConnectionAge ?? UNLIMITED,
  };
}

/** With TLS, the first that the client offers by ALPN; without, HTTP/2 is known by its preface, and only where the policy names it. */
function compileProtocols(work: Work, { protocols }: ListenerFields, path: Path): readonly HttpProtocol[] {
  const hasTls = work.reader.raw([...path, "tls"]) !== undefined;
  if (protocols === undefined) return hasTls ? ["h2", "http/1.1"] : ["http/1.1"];
  const wrongAt = protocols.indexOf(hasTls ? "h2c" : "h2");
  if (wrongAt >= 0) {
    const reason = hasTls ? "h2c is HTTP/2 without TLS; expected h2" : "h2 is HTTP/2 with TLS; expected h2c";
    work.problem(reason, [...path, "protocols", wrongAt]);
  }
  const at = protocols.indexOf("http/1.1");
  if (at >= 0 && at < protocols.indexOf("h2")) {
    work.warning("no_effect", "http/1.1 stands before h2, so clients that know both speak HTTP/1.1", [
      ...path,
      "protocols",
      at,
    ]);
  }
  return [...new Set(protocols.map((name) => (name === "h2c" ? "h2" : name)))];
}

/** Credentials in clear text may travel inside the machine only, unless the policy says so in a word. */
function checkPlaintext(work: Work, { address, plaintext }: ListenerFields, path: Path): void {
  const hasTls = work.reader.raw([...path, "tls"]) !== undefined;
  if (hasTls && plaintext !== undefined)
    work.warning("no_effect", "'tls' is there, so 'plaintext' is of no use", [...path, "plaintext"]);
  if (hasTls || address === undefined || work.reader.raw([...path, "plaintext"]) !== undefined) return;
  if (address.type !== "tcp" || isLoopback(address.host)) return;
  work.problem(
    "plain HTTP on an address that other machines reach; expected 'tls', a loopback address, or 'plaintext: allowed'",
    [...path, "address"],
  );
}

/** Two listeners of one name or on one socket; of several earlier ones, the first is told. */
function checkApart(work: Work, { name, address }: ListenerFields, path: Path, seen: readonly Seen[]): void {
  const lineOf = (earlier: Seen): number => work.reader.document.place(earlier.path).line;
  const namesake = name === undefined ? undefined : seen.find((one) => one.fields.name === name);
  if (namesake !== undefined) {
    const text = `the listener at line ${lineOf(namesake)} has the name '${name}' too; expected another`;
    work.problem(text, [...path, "name"]);
  }
  const holder = seen.find((one) => haveSameSocket(address, one.fields.address));
  if (holder !== undefined) {
    work.problem(`the listener at line ${lineOf(holder)} takes this address already`, [...path, "address"]);
  }
}

function haveSameSocket(a: ListenAddress | undefined, b: ListenAddress | undefined): boolean {
  if (a === undefined || b === undefined) return false;
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

function compileForwardedHost(work: Work, { forwardedHost, trustedProxies }: ListenerFields, path: Path): boolean {
  if (forwardedHost === undefined) return false;
  if ((trustedProxies ?? []).length === 0) {
    work.problem("nobody is trusted to name it; expected 'trustedProxies' beside it", [...path, "forwardedHost"]);
  }
  return true;
}

const UNIX_PEERS = "unix";

/** Who must send a PROXY header. Anyone else could claim any address with one, so there is no word for everybody. */
function compileProxyProtocol(work: Work, { proxyProtocol, address }: ListenerFields, path: Path): PeerSet | null {
  if (proxyProtocol === undefined) return null;
  const prefixes = proxyProtocol.from.filter((text) => text !== UNIX_PEERS);
  const hasUnix = prefixes.length < proxyProtocol.from.length;
  if (address !== undefined && hasUnix !== (address.type === "unix")) {
    const text = hasUnix
      ? "'unix' is for a listener on a Unix socket; expected prefixes, as in 10.0.0.0/8"
      : "peers of a Unix socket have no address; expected [unix]";
    work.problem(text, path);
  }
  const table = buildCidrTable(prefixes);
  if (!table.ok) {
    for (const { text, index } of table.error) {
      work.problem(text, [...path, proxyProtocol.from.indexOf(prefixes[index] ?? "")]);
    }
    return null;
  }
  if (prefixes.some((prefix) => /\/0+$/.test(prefix))) {
    work.problem("a prefix of length 0 would let anyone claim any address; expected your proxies' networks", path);
  }
  return hasUnix ? { has: (peer) => peer === UNIX_PEER || table.value.has(peer) } : table.value;
}

/** The upstream that a listener names; where it names none, the only one. */
function chooseUpstream(work: Work, name: string | undefined, path: Path): string | null {
  if (name !== undefined) return checkUpstream(work, name, [...path, "upstream"]) ? name : null;
  if (work.reader.raw([...path, "upstream"]) !== undefined) return null;
  const [only, another] = work.upstreams.defined;
  if (only !== undefined && another === undefined) {
    work.upstreams.isDefined(only);
    return only;
  }
  if (only !== undefined) work.problem(`'upstream' is missing; ${choiceOf([...work.upstreams.defined])}`, path);
  return null;
}

/** What counts handshakes outlives the policy: a reload gives nobody a fresh burst. */
function compileHandshakes(work: Work, fields: ListenerFields, path: Path): HandshakeGate | null {
  const { name, maxHandshakesPerAddress: perAddress, maxHandshakes: all } = fields;
  for (const key of ["maxHandshakesPerAddress", "maxHandshakes"] as const) {
    if (fields[key] === undefined || work.reader.raw([...path, "tls"]) !== undefined) continue;
    work.problem("there are no handshakes without 'tls'", [...path, key]);
  }
  if (perAddress === undefined && all === undefined) return null;
  const counted = (kind: string, rate: Rate | undefined, keys: number): HandshakeRate | null =>
    rate === undefined ? null : { rate, table: work.inputs.rateTables.share(JSON.stringify([kind, name]), keys) };
  return new HandshakeGate(
    counted("handshakes of an address", perAddress, DEFAULTS.rateKeys),
    counted("handshakes", all, DEFAULTS.rateProbesMax),
  );
}
