import type { ProxyServer } from "../proxy/proxy.ts";

/** Lets the proxy finish what it began, for at most `timeoutMs`; true where nothing is left. */
export async function drainProxy(proxy: ProxyServer, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  const drained = proxy.drain().then(
    () => true as const,
    () => false as const,
  );
  const result = await Promise.race([drained, timeout]);
  clearTimeout(timer);
  return result;
}

/** What the process is told from outside, as an emitter of signals gives it. */
export interface Signals {
  on(signal: "SIGTERM" | "SIGINT" | "SIGHUP" | "SIGUSR1", listener: () => void): void;
}

export interface SignalTargets {
  /** Ends in good order; called once. */
  shutdown(): void;
  /** Ends at once, for who asks a second time. */
  abort(): void;
  reload(): void;
  /** The log's file has been renamed. */
  reopenLog(): void;
}

/**
 * SIGTERM and SIGINT drain and end; a second one ends at once. SIGHUP reads the policy again. SIGUSR1 opens the log's file anew; without
 * somebody who hears it, Node would open its debugger, which runs whatever code it is given.
 */
export function followSignals(signals: Signals, targets: SignalTargets): void {
  let asked = false;
  const end = (): void => {
    if (asked) targets.abort();
    else targets.shutdown();
    asked = true;
  };
  signals.on("SIGTERM", end);
  signals.on("SIGINT", end);
  signals.on("SIGHUP", () => {
    if (!asked) targets.reload();
  });
  signals.on("SIGUSR1", () => targets.reopenLog());
}
