import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { eventually } from "../fixtures/eventually.ts";
import { freePort } from "../fixtures/free-port.ts";
import { createTestPki } from "../fixtures/pki.ts";
import { RedisServer, startRedis } from "../fixtures/redis.ts";
import { addressOf, admittedOf, ask, hourly, one, rate, readyStore, startStore } from "./redis-kit.ts";

const host = (port: number) => ({ host: "127.0.0.1", port });
const many = rate("many", 1_000_000, 3600);

/** What docs/limits-guide.md says that postern needs. */
const ACL_RULES = "~postern:* resetchannels -@all +evalsha +eval +mget +psetex +setrange +del +time";

test("over TLS with certificates of both sides, as a user who may do what postern needs and no more", async () => {
  const { ca, server, client, strangerClient } = await createTestPki();
  const port = await freePort();
  const redis = new RedisServer(0, ["--tls-port", String(port), "--tls-auth-clients", "yes"], "redis-server");
  const path = (name: string, text: string): string => {
    const file = join(redis.directory, name);
    writeFileSync(file, text);
    return file;
  };
  const files = ["--tls-cert-file", path("cert", server.certificate), "--tls-key-file", path("key", server.key)];
  const acl = path("acl", `user default off\nuser postern on >right ${ACL_RULES}\n`);
  await redis.start([...files, "--tls-ca-cert-file", path("ca", ca.certificate), "--aclfile", acl]);
  const tls = { ca: ca.certificate, certificate: client.certificate, key: client.key, serverName: null };
  const credentials = { username: "postern", password: "right" };
  const { store } = await readyStore(port, { address: { ...credentials, tls } });
  expect(await admittedOf(store, 5, rate("tls", 3, 3600))).toBe(3);
  expect(await admittedOf(store, 5, hourly("tls-quota", 3))).toBe(3);

  const refused = [
    { tls: { ...tls, ca: null } }, // an authority that the system does not know
    { tls: { ...tls, certificate: strangerClient.certificate, key: strangerClient.key } },
    { tls: { ...tls, serverName: "elsewhere.example" } },
    { tls, username: "default" },
  ];
  for (const address of refused) {
    const { store: other } = startStore(port, { address: { ...credentials, ...address } });
    await eventually(() => other.status().state === "failing");
    expect(await one(other, many)).toBe("unavailable");
  }
});

test("a sentinel pair: when the master is gone, its replica is asked, and counts", async () => {
  const master = await startRedis();
  const replica = await startRedis(["--replicaof", "127.0.0.1", String(master.port)]);
  await eventually(async () => (await replica.command("INFO", "replication")).includes("master_link_status:up"));
  const sentinel = new RedisServer(await freePort(), [], "redis-server");
  const file = join(sentinel.directory, "sentinel.conf");
  writeFileSync(
    file,
    `sentinel monitor shop 127.0.0.1 ${master.port} 1\nsentinel down-after-milliseconds shop 500\nsentinel failover-timeout shop 5000\n`,
  );
  await sentinel.start([file, "--sentinel"]);
  await eventually(async () => (await sentinel.command("SENTINEL", "REPLICAS", "shop")).includes(String(replica.port)));
  // The first of the sentinels is not there.
  const address = addressOf(0, {
    kind: "sentinel",
    master: "shop",
    hosts: [host(await freePort()), host(sentinel.port)],
  });
  const { store } = await readyStore(0, { address });
  const few = rate("few", 3, 3600);
  expect(await admittedOf(store, 2, few)).toBe(2);
  await eventually(async () => (await replica.command("KEYS", "*")).includes("postern:"));

  await master.kill();
  await eventually(async () => (await one(store, many)) === "admitted");
  // What was counted is counted still.
  expect(await admittedOf(store, 5, few)).toBe(1);
  expect(await replica.command("ROLE")).toContain("master");
  expect(store.status().state).toBe("ready");
});

test("a master that became a replica, by a hand that tells nobody, is left at once", async () => {
  const [first, second] = [await startRedis(), await startRedis()];
  const { store } = await readyStore(first.port);
  expect(await one(store, many)).toBe("admitted");
  await first.command("REPLICAOF", "127.0.0.1", String(second.port));
  await eventually(async () => (await one(store, many)) === "unavailable" && !store.isUsable);
  expect(store.status().fault?.text).toMatch(/READONLY|connection|MASTERDOWN/);
  await first.command("REPLICAOF", "NO", "ONE");
  await eventually(async () => (await one(store, many)) === "admitted");
});

describe("a cluster of three", () => {
  async function startCluster(): Promise<readonly RedisServer[]> {
    const nodes: RedisServer[] = [];
    for (let at = 0; at < 3; at++) {
      const bus = await freePort();
      nodes.push(
        await startRedis(["--cluster-enabled", "yes", "--cluster-port", String(bus), "--cluster-node-timeout", "2000"]),
      );
      const node = nodes.at(-1) as RedisServer;
      const slots = [0, 5461, 10923, 16384];
      await node.command("CLUSTER", "ADDSLOTSRANGE", String(slots[at]), String((slots[at + 1] ?? 0) - 1));
      if (at > 0)
        await node.command(
          "CLUSTER",
          "MEET",
          "127.0.0.1",
          String(nodes[0]?.port),
          await busOf(nodes[0] as RedisServer),
        );
    }
    for (const node of nodes) {
      await eventually(async () => /cluster_state:ok[\s\S]*cluster_size:3/.test(await node.command("CLUSTER", "INFO")));
    }
    return nodes;
  }

  const busOf = async (node: RedisServer): Promise<string> =>
    /@(\d+)/.exec(await node.command("CLUSTER", "NODES"))?.[1] ?? "";

  test("each caller's counters lie together, and a request of several keys counts all or none", async () => {
    const nodes = await startCluster();
    const address = addressOf(0, { kind: "cluster", hosts: [host(await freePort()), host(nodes[1]?.port ?? 0)] });
    const { store } = await readyStore(0, { address });
    const [narrow, wide] = [rate("narrow", 2, 3600), hourly("wide", 10)];
    for (let key = 0; key < 20; key++) expect(await admittedOf(store, 4, narrow, `caller ${key}`)).toBe(2);
    for (const node of nodes) expect(await node.command("DBSIZE")).not.toMatch(/^:0\r/);

    // One limit by caller and one by tenant: their keys lie on different nodes.
    for (let tenant = 0; tenant < 10; tenant++) {
      const asks = [
        { counter: narrow, key: `t${tenant}`, cost: 1 },
        { counter: wide, key: `tenant ${tenant}`, cost: 1 },
      ];
      const kinds: string[] = [];
      for (let at = 0; at < 4; at++) kinds.push((await ask(store, ...asks)).map(({ kind }) => kind).join(" "));
      expect(kinds).toEqual(["admitted admitted", "admitted admitted", "over spared", "over spared"]);
      // The refused ones were given back, which is told to the store in a moment.
      await eventually(async () => (await one(store, wide, `tenant ${tenant}`, 8)) === "admitted");
    }
  });

  test("a node that is gone takes its own keys along, and no others", async () => {
    const nodes = await startCluster();
    for (const node of nodes) await node.command("CONFIG", "SET", "cluster-require-full-coverage", "no");
    const address = addressOf(0, { kind: "cluster", hosts: nodes.map(({ port }) => host(port)) });
    const { store } = await readyStore(0, { address, timeoutMs: 500 });
    await nodes[2]?.kill();
    const kinds = async () => {
      const all: string[] = [];
      for (let key = 0; key < 12; key++) all.push(await one(store, many, `caller ${key}`));
      return all;
    };
    await eventually(async () => {
      const seen = await kinds();
      return seen.includes("admitted") && seen.includes("unavailable");
    });
    await nodes[2]?.start();
    await eventually(async () => !(await kinds()).includes("unavailable"));
  });
});
