import { DEFAULTS } from "../support/defaults.ts";
import type { SecretReference } from "../support/secret.ts";
import { collide, isLoopback } from "./addresses.ts";
import { sections } from "./later-sections.ts";
import type { Path } from "./path.ts";
import { adminShape, metricsShape } from "./schema.ts";
import type { Work } from "./work.ts";

/** Section `admin`; its port needs no authentication, so that only this machine may reach it. */
export function compileAdmin(work: Work): void {
  const path: Path = ["admin"];
  if (work.reader.raw(path) === undefined) return;
  const { address, unsafeAddress, probes, hosts = [], serviceProbes, ...rest } = work.reader.fields(adminShape, path);
  const at = addressOf(work, "admin port", { address, unsafeAddress }, path);
  const hasAddress = ["address", "unsafeAddress", "probes"].some(
    (key) => work.reader.raw([...path, key]) !== undefined,
  );
  if (!hasAddress) work.problem("'address' is missing; expected a loopback address, as in 127.0.0.1:9901", path);
  const { readyWithExpiredCertificate = true, readyWithoutKeys = true, token } = rest;
  work.admin = {
    ...work.admin,
    address: at,
    probes: probes ?? null,
    hosts,
    readyWithExpiredCertificate,
    readyWithoutKeys,
    token: token === undefined ? null : adminToken(work, token),
  };
  if (work.admin.address !== null && probes !== undefined && collide(work.admin.address, probes)) {
    work.problem("the admin port takes this address already; expected another port", [...path, "probes"]);
  }
  if (serviceProbes !== undefined) {
    const served = sections.get().compileServiceProbes(work, serviceProbes, [...path, "serviceProbes"]);
    work.admin = { ...work.admin, serviceProbes: served };
  }
}

/** Section `metrics`: a port of their own, so that who scrapes from elsewhere reaches nothing else. */
export function compileMetrics(work: Work): void {
  const path: Path = ["metrics"];
  if (work.reader.raw(path) === undefined) return;
  const { hosts = [], ...addresses } = work.reader.fields(metricsShape, path);
  const metrics = addressOf(work, "port for metrics", addresses, path);
  const hasAddress = ["address", "unsafeAddress"].some((key) => work.reader.raw([...path, key]) !== undefined);
  if (!hasAddress) work.problem("'address' is missing; expected a loopback address, as in 127.0.0.1:9903", path);
  work.admin = { ...work.admin, metrics, metricsHosts: hosts };
  for (const other of [work.admin.address, work.admin.probes]) {
    if (metrics !== null && other !== null && collide(metrics, other)) {
      work.problem("another port of section 'admin' takes this address already; expected another port", path);
    }
  }
}

type HostPort = NonNullable<Work["admin"]["address"]>;

/** Other machines reach a port that asks for no credentials only where the policy says so in a word. */
function addressOf(
  work: Work,
  name: string,
  { address, unsafeAddress }: { address?: HostPort | undefined; unsafeAddress?: HostPort | undefined },
  path: Path,
): HostPort | null {
  if (address !== undefined && unsafeAddress !== undefined) {
    work.problem("both 'address' and 'unsafeAddress'; expected one of them", path);
  }
  if (address !== undefined && !isLoopback(address.host)) {
    work.problem(
      `other machines would reach the ${name}, which asks for no credentials; expected a loopback address, or 'unsafeAddress'`,
      [...path, "address"],
    );
  }
  return address ?? unsafeAddress ?? null;
}

function adminToken(work: Work, reference: SecretReference): Buffer | null {
  const path: Path = ["admin", "token"];
  const token = work.secret(reference, path);
  // It stands in a header as it is.
  if (
    token === null ||
    (token.length >= DEFAULTS.adminTokenBytesMin && /^[\x21-\x7e]+$/.test(token.toString("latin1")))
  ) {
    return token;
  }
  work.problem(
    `the admin token is to be guessed or cannot stand in a header; expected at least ${DEFAULTS.adminTokenBytesMin} letters and digits, as 'openssl rand -hex 32' gives them`,
    path,
  );
  return null;
}
