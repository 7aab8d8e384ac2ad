import { linkFault, type StoreHost } from "./link.ts";

/** One command to one sentinel. */
export type AskSentinel = (sentinel: StoreHost, command: readonly string[]) => Promise<unknown>;

/** Who is the master now, as the first sentinel that can be reached says. Rejects with what is wrong with each. */
export async function findMaster(sentinels: readonly StoreHost[], ask: AskSentinel, name: string): Promise<StoreHost> {
  const faults: string[] = [];
  for (const sentinel of sentinels) {
    try {
      const answer = await ask(sentinel, ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", name]);
      const found = hostOf(answer);
      if (found !== null) return found;
      faults.push(`${sentinel.host}:${sentinel.port} knows no master '${name}'`);
    } catch (error) {
      faults.push(`sentinel ${sentinel.host}:${sentinel.port}: ${linkFault(error)}`);
    }
  }
  throw new Error(faults.join("; "));
}

function hostOf(answer: unknown): StoreHost | null {
  if (!Array.isArray(answer)) return null;
  const [host, port]: unknown[] = answer;
  const number = Number(port);
  return typeof host === "string" && Number.isInteger(number) && number > 0 ? { host, port: number } : null;
}
