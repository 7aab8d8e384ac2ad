/** A connection to a store, or to all nodes of a cluster, that has shown who it is. */
export interface StoreLink {
  /**
   * One command; it goes out with what else is sent in the same turn, and its answers come in their order. Rejects with what
   * the store says is wrong, or when the connection ends. `key` decides which node of a cluster is asked.
   */
  send(key: string, command: readonly string[]): Promise<unknown>;
  /** What was sent is still answered, within a second. */
  end(): void;
  /** At once: whoever waits for an answer is told that there is none. */
  cut(): void;
}

/** Where a store is and how postern shows itself there. All of it makes the resource; it is never in a log. */
export interface StoreAddress {
  /** One for a single store, several for sentinels and for a cluster's nodes to begin with. */
  readonly hosts: readonly StoreHost[];
  readonly kind: "single" | "sentinel" | "cluster";
  /** Of a sentinel: the name of the master. */
  readonly master: string;
  readonly database: number;
  readonly username: string | null;
  readonly password: string | null;
  readonly sentinelUsername: string | null;
  readonly sentinelPassword: string | null;
  readonly tls: StoreTls | null;
}

export interface StoreHost {
  readonly host: string;
  readonly port: number;
}

export interface StoreTls {
  /** Null for those that the system trusts. */
  readonly ca: string | null;
  readonly certificate: string | null;
  readonly key: string | null;
  /** The name that the certificate has to be for; null for the host's. */
  readonly serverName: string | null;
}

/** Opens one within its own time; `ended` is called once when it ends by itself. Rejects in words. */
export type OpenLink = (address: StoreAddress, ended: (why: string) => void) => Promise<StoreLink>;

/** What a store or a socket says is wrong, on one line and bounded. */
export function linkFault(error: unknown): string {
  if (!(error instanceof Error)) return "no answer";
  const first = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  const text = first.message === "" ? first.name : first.message;
  return text.replace(/\s+/g, " ").trim().slice(0, 200);
}
