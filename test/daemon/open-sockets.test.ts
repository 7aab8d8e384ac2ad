import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OpenSockets } from "../../src/daemon/open-sockets.ts";
import { collide, reaches } from "../../src/policy/addresses.ts";
import { eventually } from "../fixtures/eventually.ts";

const LOCALHOST = { type: "tcp", host: "localhost", port: 0 } as const;
/** TEST-NET-1, which is no machine's own (RFC 5737). */
const ELSEWHERE = "192.0.2.1";

let seen: string[];
let sockets: Socket[];
let clients: Socket[];
beforeEach(() => {
  seen = [];
  sockets = [];
  clients = [];
});
afterEach(() => {
  for (const one of [...sockets, ...clients]) one.destroy();
});

function openSockets(localhost?: readonly string[]): OpenSockets {
  const handlers = {
    onConnection: (socket: Socket) => void sockets.push(socket.on("error", () => {})),
    onDrop: () => void seen.push("drop"),
    onError: (code: string) => void seen.push(code),
    onFamilyMissing: (host: string, code: string) => void seen.push(`${host} ${code}`),
  };
  return new OpenSockets(handlers, localhost);
}

const portOf = (open: OpenSockets): number => Number(open.boundTo.split(":").at(-1));

function client(host: string, port: number): Socket {
  const socket = connect(port, host).on("error", () => {});
  clients.push(socket);
  return socket;
}

const hasIPv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === "::1"));

test.runIf(hasIPv6)(
  "localhost is both families on one port, and the limit on connections is that of both",
  async () => {
    const open = openSockets();
    expect(await open.open(LOCALHOST, undefined)).toMatchObject({ ok: true });
    open.connectionsMax = 2;
    client("127.0.0.1", portOf(open));
    client("::1", portOf(open));
    await eventually(() => sockets.length === 2);
    client("::1", portOf(open));
    await eventually(() => seen.includes("drop"));
    const [first] = sockets;
    if (first !== undefined) await once(first.destroy(), "close");
    client("::1", portOf(open));
    await eventually(() => sockets.length === 3);
    open.close();
  },
);

test.runIf(hasIPv6)("a port that is taken in one family is refused in both", async () => {
  const other = createServer();
  await new Promise<void>((done) => other.listen({ host: "::1", port: 0 }, done));
  const address = other.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  expect(await openSockets().open({ ...LOCALHOST, port }, undefined)).toEqual({ ok: false, error: "EADDRINUSE" });
  const again = createServer();
  await new Promise<void>((done, failed) => again.once("error", failed).listen({ host: "127.0.0.1", port }, done));
  again.close();
  other.close();
});

test("a family that the machine does not have is told, and no failure; without any there is one", async () => {
  const open = openSockets(["127.0.0.1", ELSEWHERE]);
  expect(await open.open(LOCALHOST, undefined)).toMatchObject({ ok: true });
  expect(seen).toEqual([`${ELSEWHERE} EADDRNOTAVAIL`]);
  client("127.0.0.1", portOf(open));
  await eventually(() => sockets.length === 1);
  open.close();
  expect(await openSockets([ELSEWHERE]).open(LOCALHOST, undefined)).toEqual({ ok: false, error: "EADDRNOTAVAIL" });
});

test("whoever listens on one of the two addresses stands in the way of localhost, and requests to it come there", () => {
  const at = (host: string) => ({ host, port: 8443 });
  for (const host of ["127.0.0.1", "::1", "localhost"]) {
    expect([host, collide(at(host), at("localhost")), reaches(at(host), at("localhost"))]).toEqual([host, true, true]);
    expect(reaches(at("localhost"), at(host))).toBe(true);
  }
  expect(collide(at("127.0.0.1"), at("::1"))).toBe(false);
  expect(collide(at("127.0.0.2"), at("localhost"))).toBe(false);
});
