import { createClient, createCluster } from "@redis/client";
import { LIMIT_DEFAULTS } from "../../support/limit-defaults.ts";
import { linkFault, type OpenLink, type StoreAddress, type StoreHost, type StoreLink } from "./link.ts";
import { type AskSentinel, findMaster } from "./sentinel.ts";

/** Who postern is to one server. */
interface Credentials {
  readonly username: string | null;
  readonly password: string | null;
}

/** A connection to one server, that ends for good when it ends. */
export const openLink: OpenLink = async (address, ended) => {
  if (address.kind === "cluster") return openCluster(address);
  if (address.kind === "single") return openServer(address, address.hosts[0] as StoreHost, address.database, ended);
  const master = await findMaster(address.hosts, askSentinel(address), address.master);
  const link = await openServer(address, master, address.database, ended);
  // A sentinel that was cut off may still name the old master, which does not know of its fall.
  const [role] = (await link.send("", ["ROLE"])) as readonly unknown[];
  if (role === "master") return link;
  link.cut();
  throw new Error(`${master.host}:${master.port} is no master`);
};

function openServer(
  address: StoreAddress,
  host: StoreHost,
  database: number,
  ended: (why: string) => void,
): Promise<StoreLink> {
  return within(async (whenCut) => {
    const client = createClient({
      ...common(address),
      socket: { ...socketOf(address, host.host), host: host.host, port: host.port, reconnectStrategy: false },
      ...credentialsOf(address),
      database,
    });
    let why = "the connection ended";
    client.on("error", (error: unknown) => {
      why = linkFault(error);
      if (isOpen) ended(why);
      isOpen = false;
    });
    let isOpen = false;
    const cut = (): void => {
      isOpen = false;
      if (client.isOpen) client.destroy();
    };
    whenCut(cut);
    await client.connect();
    isOpen = true;
    return {
      send: (_key, command) => client.sendCommand(command as string[]),
      end: () => {
        isOpen = false;
        endSoon(() => client.close(), cut);
      },
      cut,
    };
  });
}

/** All nodes; each reconnects by itself, and a key is asked of the node that has its slot. */
function openCluster(address: StoreAddress): Promise<StoreLink> {
  return within(async (whenCut) => {
    const cluster = createCluster({
      rootNodes: address.hosts.map(({ host, port }) => ({ socket: { host, port } })),
      defaults: {
        ...common(address),
        ...credentialsOf(address),
        socket: {
          ...socketOf(address, null),
          reconnectStrategy: (retries) => {
            const wholeMs = LIMIT_DEFAULTS.storeReconnectMsMin * 2 ** Math.min(retries, 10);
            return (Math.min(wholeMs, LIMIT_DEFAULTS.storeReconnectMsMax) * (1 + Math.random())) / 2;
          },
        },
      },
      RESP: 2,
      maxCommandRedirections: 3,
    });
    cluster.on("error", () => {});
    cluster.on("node-error", () => {});
    const cut = (): void => {
      if (cluster.isOpen) cluster.destroy();
    };
    whenCut(cut);
    await cluster.connect();
    return {
      send: (key, command) => cluster.sendCommand(key, false, command as string[]),
      end: () => endSoon(() => cluster.close(), cut),
      cut,
    };
  });
}

const askSentinel =
  (address: StoreAddress): AskSentinel =>
  async (sentinel, command) => {
    const itself = { ...address, username: address.sentinelUsername, password: address.sentinelPassword };
    const link = await openServer(itself, sentinel, 0, () => {});
    try {
      return await link.send("", command);
    } finally {
      link.cut();
    }
  };

function common({ kind }: StoreAddress) {
  return {
    RESP: 2,
    disableOfflineQueue: kind !== "cluster",
    disableClientInfo: true,
    maintNotifications: "disabled",
    commandsQueueMaxLength: LIMIT_DEFAULTS.storeCallsMax * 4,
  } as const;
}

function credentialsOf({ username, password }: Credentials): { username?: string; password?: string } {
  return { ...(username === null ? {} : { username }), ...(password === null ? {} : { password }) };
}

function socketOf({ tls }: StoreAddress, host: string | null) {
  const connectTimeout = LIMIT_DEFAULTS.storeConnectMs;
  if (tls === null) return { connectTimeout, tls: false } as const;
  const name = tls.serverName ?? host;
  return {
    connectTimeout,
    tls: true,
    ...(tls.ca === null ? {} : { ca: tls.ca }),
    ...(tls.certificate === null || tls.key === null ? {} : { cert: tls.certificate, key: tls.key }),
    ...(name === null || isAddress(name) ? {} : { servername: name }),
    minVersion: "TLSv1.2",
  } as const;
}

/** No name for SNI (RFC 6066 section 3). */
function isAddress(name: string): boolean {
  return /^[\d.]+$|:/.test(name);
}

/** A server may take the connection and say nothing; then it is cut when its time is over. */
function within(open: (whenCut: (cut: () => void) => void) => Promise<StoreLink>): Promise<StoreLink> {
  return new Promise((resolve, reject) => {
    let cut = (): void => {};
    const timer = setTimeout(() => {
      reject(new Error(`no connection within ${LIMIT_DEFAULTS.storeConnectMs} ms`));
      cut();
    }, LIMIT_DEFAULTS.storeConnectMs);
    const whenCut = (how: () => void): void => {
      cut = how;
    };
    open(whenCut)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}

function endSoon(close: () => Promise<unknown>, cut: () => void): void {
  const timer = setTimeout(cut, 1_000);
  timer.unref();
  close().then(
    () => clearTimeout(timer),
    () => cut(),
  );
}
