import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Contestant } from "./contestant.ts";
import { assertCorrect } from "./correctness.ts";
import { type Bench, type Launched, settled, withContestant } from "./launch.ts";
import type { Sample } from "./measure.ts";
import { peakResidentMiB, residentMiB, restartPeaks } from "./process-usage.ts";
import { OTHER_CORE, PROXY_CORE, run } from "./processes.ts";
import type { TransferResult, TransferSettings } from "./transfer-client.ts";
import { TRANSFER_BYTES, type Workload } from "./workloads.ts";
import { LARGE_PATH, SAMPLE_PATH, UPLOAD_PATH } from "./world.ts";

/** One body of 1 GiB through a fresh process; the request that `Sample` speaks of is the whole transfer. */
export interface TransferSample extends Sample {
  readonly bytesPerCpuSecond: number;
  /** Most resident memory while it ran, less what there was before the first long body. */
  readonly growthMiB: number;
}

export function measureTransfer(bench: Bench, contestant: Contestant, workload: Workload): Promise<TransferSample> {
  return withContestant(bench, contestant, workload, async (launched) => {
    await assertCorrect(contestant, workload, bench.world, launched.port);
    await settled();
    const pids = launched.process.tree();
    const beforeMiB = residentMiB(pids);
    restartPeaks(pids);
    await assertUnchanged(bench, contestant, workload, launched);
    const result = await transfer(bench, workload, launched, TRANSFER_BYTES);
    const growthMiB = peakResidentMiB(pids) - beforeMiB;
    if (result.bytes !== TRANSFER_BYTES) throw new Error(`${contestant.name}: ${result.bytes} bytes of a GiB arrived`);
    await assertUnchanged(bench, contestant, workload, launched);
    return {
      cpuUs: result.cpuSeconds * 1e6,
      rps: 1 / result.seconds,
      p50Ms: result.seconds * 1000,
      p99Ms: result.seconds * 1000,
      foreignShare: result.foreignSeconds / result.seconds,
      bytesPerCpuSecond: result.bytes / result.cpuSeconds,
      growthMiB,
    };
  });
}

/** A shorter body has to arrive as it was sent. */
async function assertUnchanged(bench: Bench, contestant: Contestant, workload: Workload, launched: Launched) {
  const { sample } = bench.world;
  const { bytes, sha256 } = await transfer(bench, workload, launched, sample.length);
  if (bytes === sample.length && sha256 === createHash("sha256").update(sample).digest("hex")) return;
  throw new Error(`${contestant.name} on ${workload.name}: ${bytes} bytes of another body arrived`);
}

async function transfer(bench: Bench, workload: Workload, { process, port }: Launched, bytes: number) {
  const { ca, client, folder } = bench.world;
  const isLarge = bytes === TRANSFER_BYTES;
  const upload = workload.work === "upload";
  const settings: TransferSettings = {
    port,
    tls: { ca, certificate: client.certificate, key: client.key },
    direction: upload ? "upload" : "download",
    path: upload ? UPLOAD_PATH : isLarge ? LARGE_PATH : SAMPLE_PATH,
    bytes,
    sourceFile: join(folder, "sample.bin"),
    hash: !isLarge,
    pids: process.tree(),
    core: PROXY_CORE,
  };
  const script = join(import.meta.dirname, "transfer-client.ts");
  const command = { file: globalThis.process.execPath, args: [script, JSON.stringify(settings)] };
  return JSON.parse(await run(command, OTHER_CORE)) as TransferResult;
}
