const cell = new Int32Array(new SharedArrayBuffer(4));
const REST_MS = 0.02;

/**
 * CPU time of this thread, to the microsecond. The kernel brings a thread's account up to date when it rests, and else by
 * ticks of 4 ms.
 */
export function threadCpuMs(): number {
  Atomics.wait(cell, 0, 0, REST_MS);
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** What some work takes of the thread in all, and the most that it takes before others have their turn; whoever else is at work on the machine does not count. */
export interface Stretches {
  totalMs: number;
  stretchMs: number;
}

async function stretchesOf(work: () => Promise<unknown> | unknown): Promise<Stretches> {
  let stretchMs = 0;
  let isOver = false;
  const startMs = threadCpuMs();
  let last = startMs;
  const look = (): void => {
    const now = threadCpuMs();
    stretchMs = Math.max(stretchMs, now - last);
    last = now;
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  await work();
  const totalMs = threadCpuMs() - startMs;
  isOver = true;
  look();
  return { totalMs, stretchMs };
}

/** The least of some rounds: code is made fast on the way. */
export async function leastStretches(work: () => Promise<unknown> | unknown, rounds: number): Promise<Stretches> {
  const least = await stretchesOf(work);
  for (let round = 1; round < rounds; round++) {
    const { totalMs, stretchMs } = await stretchesOf(work);
    least.totalMs = Math.min(least.totalMs, totalMs);
    least.stretchMs = Math.min(least.stretchMs, stretchMs);
  }
  return least;
}
