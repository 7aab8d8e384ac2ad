import { readdirSync, readFileSync, writeFileSync } from "node:fs";

/** USER_HZ, the unit of the times in /proc/PID/stat: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** User and system time that processes have used, with the children that they have already waited for. */
export function cpuSeconds(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const fields = statFields(pid);
    // proc(5): utime, stime, cutime, cstime are fields 14 to 17; ours begin with field 3.
    for (let at = 11; at <= 14; at++) ticks += Number(fields[at]);
  }
  return ticks / TICKS_PER_SECOND;
}

/**
 * Time that the threads of a process had a core, without its children, to a few milliseconds: ticks are too coarse for short periods
 * (sched-stats in the kernel's documentation; in nanoseconds).
 */
export function threadSeconds(pid: number): number {
  const folder = `/proc/${pid}/task`;
  let ns = 0;
  for (const thread of readdirSync(folder))
    ns += Number.parseInt(readFileSync(`${folder}/${thread}/schedstat`, "utf8"), 10);
  return ns / 1e9;
}

/** Time that a core was not idle, in seconds, whoever used it: other processes, interrupts, other guests of the host. */
export function coreBusySeconds(core: number): number {
  const line = readFileSync("/proc/stat", "utf8")
    .split("\n")
    .find((candidate) => candidate.startsWith(`cpu${core} `));
  // proc_stat(5): user nice system idle iowait irq softirq steal
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (line ?? "")
    .split(" ")
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND;
}

/** Resident memory of processes, in MiB. */
export function residentMiB(pids: readonly number[]): number {
  return sumMiB(pids, "VmRSS");
}

/** The most that each of them had since its start or the last `restartPeaks`, in MiB. */
export function peakResidentMiB(pids: readonly number[]): number {
  return sumMiB(pids, "VmHWM");
}

/** From here on peaks are counted anew (proc_pid_clear_refs(5)). */
export function restartPeaks(pids: readonly number[]): void {
  for (const pid of pids) writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

function sumMiB(pids: readonly number[], field: "VmRSS" | "VmHWM"): number {
  let kib = 0;
  for (const pid of pids) {
    const line = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    kib += Number(line?.[1] ?? 0);
  }
  return kib / 1024;
}

/** A process and all that descend from it. */
export function processTree(root: number): number[] {
  const childrenOf = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const pid = Number(name);
    const parent = parentOf(pid);
    if (parent !== null) childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), pid]);
  }
  const tree: number[] = [];
  const open = [root];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    tree.push(pid);
    open.push(...(childrenOf.get(pid) ?? []));
  }
  return tree;
}

function parentOf(pid: number): number | null {
  try {
    return Number(statFields(pid)[1]);
  } catch {
    return null; // it ended while we were looking
  }
}

/** The fields of /proc/PID/stat after the name, which may itself hold spaces and parentheses. */
function statFields(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}
