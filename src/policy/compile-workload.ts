import { WorkloadSource } from "../spiffe/workload-source.ts";
import type { WorkloadIdentity } from "../spiffe/x509-svid.ts";
import type { WorkloadEntry } from "./certificate-schema.ts";
import { certificateFacts, validityFault } from "./certificates.ts";
import type { Path } from "./path.ts";
import type { Work } from "./work.ts";

/**
 * The identity that a SPIFFE agent has given so far; null before the first. The policy compiles without it, and again when
 * it comes: compiling asks nobody. `use` for metrics.
 */
export function workloadIdentity(work: Work, entry: WorkloadEntry, use: string, path: Path): WorkloadIdentity | null {
  const { socket: socketPath, id: spiffeId = null } = entry;
  const source = work.acquisition.acquire(
    "spiffe-workload",
    [socketPath, spiffeId ?? ""],
    (world) => new WorkloadSource({ socketPath, spiffeId }, world),
  );
  const { material } = source;
  if (material === null) return null;
  work.files.include(`spiffe ${socketPath} ${spiffeId ?? ""}`, material.version);
  const { identity } = material;
  const from = `unix:${socketPath}`;
  for (const certificate of identity.chain) {
    // It is in force, and only the agent can help: never a reason to refuse an edit.
    const fault = validityFault(certificate, work.inputs.clock.wallMs());
    if (fault !== null) work.warning("file_aged", fault, path);
    work.certificates.push(certificateFacts(certificate, from, use, true));
  }
  return identity;
}
