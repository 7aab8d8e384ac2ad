import type { Socket } from "node:net";
import type { TLSSocket, Server as TlsServer } from "node:tls";
import type { MemoryBudget } from "../memory/budget.ts";
import { type Address, clientKey, clientOf, parseAddress, UNIX_PEER } from "../message/address.ts";
import type { ClientCertificate, ConnectionFacts, HttpProtocol } from "../message/connection.ts";
import type { ListenerSettings } from "../policy/snapshot.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { LiveTelemetry } from "../telemetry/live.ts";
import type { ConnectionRefusal } from "../telemetry/telemetry.ts";
import { awaitFirstBytes } from "./await-first-bytes.ts";
import { awaitProxyHeader } from "./await-proxy-header.ts";
import { Handshake } from "./handshake.ts";
import {
  classifyHandshake,
  describeHandshake,
  GAVE_WAY,
  type HandshakeFault,
  HELLO_CLOSED,
  HELLO_TIMEOUT,
} from "./handshake-failure.ts";
import { ja4Of } from "./ja4.ts";
import { OpenCounts } from "./open-counts.ts";
import { OpenSockets } from "./open-sockets.ts";
import { isLikePreface, isWholeHello, tellsProtocol } from "./protocol-sniffer.ts";
import { createTlsServer, socketBelow } from "./tls-server.ts";
import { clearStaleSocket, restrictSocket } from "./unix-socket.ts";

/** Takes a connection that is ready for HTTP. */
export type Serve = (socket: Socket, facts: ConnectionFacts, listener: ListenerSettings) => void;

export interface ListenerDeps {
  readonly serve: Serve;
  readonly telemetry: LiveTelemetry;
  readonly memory: MemoryBudget;
  /** Listening sockets that the process inherited, by name (systemd socket activation). */
  readonly inheritedSockets: ReadonlyMap<string, number>;
}

/** Settings of a listener with the TLS server that they ask for, checked and ready to swap in. */
export interface ListenerPlan {
  readonly settings: ListenerSettings;
  readonly tls: TlsServer | null;
}

/** Whom a connection is with. */
interface Ends {
  /** The client: the socket's peer, or whom a proxy with a PROXY header speaks for. */
  readonly peer: Address;
  /** The proxy that does; null where there is none. */
  readonly proxyPeer: Address | null;
}

/** One open port: accepts, does the handshake, reads the client's certificate once, and hands the connection on. */
export class Listener {
  readonly #deps: ListenerDeps;
  readonly #open: OpenSockets;
  readonly #sockets = new Set<Socket>();
  /** Of connections that are through with `accept`. */
  readonly #ends = new WeakMap<Socket, Ends>();
  /** JA4 of those whose TLS settings ask for it. */
  readonly #ja4 = new WeakMap<Socket, string>();
  /** Of those among them that are not served yet. */
  readonly #handshakes = new WeakMap<Socket, Handshake>();
  readonly #ofAddress = new OpenCounts();
  readonly #ofIdentity = new OpenCounts();
  #isUnix = false;
  #settings: ListenerSettings;
  #tls: TlsServer | null = null;
  /** Connections accepted before the policy that opened this port is in force; null afterwards. */
  #waiting: Socket[] | null = [];

  constructor(settings: ListenerSettings, deps: ListenerDeps) {
    this.#settings = settings;
    this.#deps = deps;
    const { telemetry } = deps;
    this.#open = new OpenSockets({
      onConnection: (socket) => this.#accept(socket),
      onDrop: (peer) => telemetry.connectionRefused(this.#settings.name, "connections_max", peer, ""),
      onError: (code) => telemetry.acceptFailed(this.#settings.name, code),
      onFamilyMissing: (host, code) =>
        telemetry.log.warn("warning", `no ${host} on this machine: localhost is listened on without it`, {
          listener: this.#settings.name,
          error: code,
        }),
    });
  }

  get settings(): ListenerSettings {
    return this.#settings;
  }

  /** `host:port` or the path of what is bound; the port is the real one where the policy says 0. */
  get boundTo(): string {
    return this.#open.boundTo;
  }

  /** Checks new settings without touching what runs; the same TLS settings keep the TLS server that is there. */
  plan(settings: ListenerSettings): Result<ListenerPlan, string> {
    if (settings.tls === null) return ok({ settings, tls: null });
    const current = this.#settings;
    const isSame =
      settings.tls.fingerprint === current.tls?.fingerprint &&
      settings.protocols.join() === current.protocols.join() &&
      settings.handshakeTimeoutMs === current.handshakeTimeoutMs;
    if (this.#tls !== null && isSame) return ok({ settings, tls: this.#tls });
    const server = createTlsServer(settings.tls, settings.protocols, settings.handshakeTimeoutMs, {
      // Not the settings of the moment: a reload during the handshake must not lend its trust to what the old CAs judged.
      onSecure: (socket, certificate) => this.#onSecure(socket, certificate, settings),
      onFailure: (fault, socket) => this.#onHandshakeFailure(fault, socket),
    });
    return server.ok ? ok({ settings, tls: server.value }) : err(`TLS: ${server.error}`);
  }

  /** Opens the port. Connections wait until `update` says what to do with them. */
  async bind(): Promise<Result<null, string>> {
    const { address } = this.#settings;
    if (address.type === "unix") {
      const cleared = await clearStaleSocket(address.path);
      if (!cleared.ok) return cleared;
    }
    const fd = address.type === "fd" ? this.#deps.inheritedSockets.get(address.name) : undefined;
    if (address.type === "fd" && fd === undefined) {
      return err(`the service manager passed no socket named '${address.name}'`);
    }
    const listening = await this.#open.open(address, fd);
    this.#isUnix = this.#open.isUnix;
    if (!listening.ok || address.type !== "unix") return listening;
    return restrictSocket(address.path);
  }

  /** From here on, new connections get these settings; connections that are open keep theirs. */
  update({ settings, tls }: ListenerPlan): void {
    this.#settings = settings;
    this.#tls = tls;
    this.#open.connectionsMax = settings.connectionsMax;
    const waiting = this.#waiting;
    this.#waiting = null;
    for (const socket of waiting ?? []) this.#accept(socket);
  }

  /** Closes the port and leaves open connections alone. */
  stop(): void {
    this.#open.close();
    for (const socket of this.#waiting ?? []) socket.destroy();
  }

  destroyConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  get connectionsOpen(): number {
    return this.#sockets.size;
  }

  #accept(socket: Socket): void {
    // A reset between two events must find a handler wherever the connection is just then.
    socket.on("error", () => socket.destroy());
    if (this.#waiting !== null) {
      this.#waiting.push(socket);
      return;
    }
    const peer = this.#peerOf(socket);
    if (peer === null) {
      socket.destroy();
      return;
    }
    const { name, proxyProtocol, handshakeTimeoutMs } = this.#settings;
    if (proxyProtocol !== null && !proxyProtocol.has(peer)) {
      this.#refuse(socket, peer, "proxy_peer_unnamed", "a peer that 'proxyProtocol' does not name");
      return;
    }
    const { telemetry } = this.#deps;
    this.#sockets.add(socket);
    telemetry.connectionOpened(name);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      telemetry.connectionClosed(name);
    });
    if (proxyProtocol === null) {
      this.#begin(socket, { peer, proxyPeer: null });
      return;
    }
    awaitProxyHeader(socket, handshakeTimeoutMs, {
      onHeader: ({ client }) => {
        this.#begin(socket, client === null ? { peer, proxyPeer: null } : { peer: client, proxyPeer: peer });
        // Whoever waits for first bytes reads by itself what is left in the socket.
        if (this.#ends.has(socket) && this.#tls === null) socket.resume();
      },
      onRefused: (refusal, seen) => this.#refuse(socket, peer, refusal, seen),
    });
  }

  /** The client is known: what is counted by client is counted now, then TLS may begin. */
  #begin(socket: Socket, ends: Ends): void {
    const { peer } = ends;
    const { trustedProxies, addressConnectionsMax } = this.#settings;
    // Clients of a Unix socket share one non-address, and a trusted proxy is many clients.
    const isMany = peer === UNIX_PEER || trustedProxies?.has(peer) === true;
    if (!isMany && !count(socket, this.#ofAddress, clientKey(peer), addressConnectionsMax)) {
      this.#refuse(socket, peer, "address_connections_max", "one more than maxConnectionsPerAddress");
      return;
    }
    const handshake = new Handshake(socket, clientOf(peer, isMany), this.#deps.memory.handshakes, () =>
      this.#onHandshakeFailure(GAVE_WAY, socket),
    );
    if (!handshake.begin()) {
      this.#refuse(socket, peer, "memory_handshakes", "no room for one more handshake");
      return;
    }
    this.#ends.set(socket, ends);
    this.#handshakes.set(socket, handshake);
    if (this.#settings.tls?.certificate === null) {
      this.#refuse(socket, peer, "certificate_pending", "no certificate of the SPIFFE agent yet");
    } else if (this.#tls !== null) this.#awaitHello(socket, ends, handshake, this.#tls);
    else this.#servePlain(socket, ends);
  }

  /** A client that says nothing costs a socket; the TLS state comes with its hello. */
  #awaitHello(socket: Socket, { peer }: Ends, handshake: Handshake, tls: TlsServer): void {
    awaitFirstBytes(socket, this.#settings.handshakeTimeoutMs, {
      isEnough: (seen) => isWholeHello(seen, DEFAULTS.helloBytesMax),
      onEnough: (seen) => {
        const spent = this.#settings.handshakes?.take(peer, handshake.client.isMany) ?? null;
        if (spent !== null) this.#refuse(socket, peer, spent, "one more handshake than the listener lets begin");
        else if (handshake.beginTls()) {
          // One side alone can end only what has begun: a client that says no more has given its handshake up.
          socket.allowHalfOpen = false;
          const ja4 = this.#settings.tls?.hasJa4 === true ? ja4Of(seen) : null;
          if (ja4 !== null) this.#ja4.set(socket, ja4);
          tls.emit("connection", socket);
        } else this.#refuse(socket, peer, "memory_handshakes", "no room for one more handshake");
      },
      onTimeout: () => {
        this.#onHandshakeFailure(HELLO_TIMEOUT, socket);
        socket.destroy();
      },
      onEnd: () => {
        if (!handshake.gaveWay) this.#onHandshakeFailure(HELLO_CLOSED, socket);
        socket.destroy();
      },
    });
  }

  #refuse(socket: Socket, peer: Address, refusal: ConnectionRefusal, seen: string): void {
    this.#deps.telemetry.connectionRefused(this.#settings.name, refusal, peer.text, seen);
    socket.destroy();
  }

  #onSecure(socket: TLSSocket, certificate: ClientCertificate | null, judgedBy: ListenerSettings): void {
    socket.on("error", () => socket.destroy());
    socket.allowHalfOpen = true;
    const ends = this.#ends.get(socketBelow(socket));
    if (ends === undefined) {
      socket.destroy();
      return;
    }
    // A client that names no protocol is taken for one that knows only HTTP/1.1 (RFC 9113 section 3.2).
    const protocol = socket.alpnProtocol === "h2" ? "h2" : "http/1.1";
    const settings = judgedBy.tls?.fingerprint === this.#settings.tls?.fingerprint ? this.#settings : judgedBy;
    if (!this.#countIdentity(socket, certificate, settings)) {
      this.#refuse(socket, ends.peer, "identity_connections_max", "one more than maxConnectionsPerIdentity");
      return;
    }
    const ja4 = this.#ja4.get(socketBelow(socket)) ?? null;
    this.#serve(socket, { listener: settings.name, ...ends, protocol, secure: true, certificate, ja4 }, settings);
  }

  /** Only whom an authority vouches for has an identity: a name in a certificate of one's own making is anybody's. */
  #countIdentity(
    socket: Socket,
    certificate: ClientCertificate | null,
    { identityConnectionsMax }: ListenerSettings,
  ): boolean {
    if (identityConnectionsMax === Number.POSITIVE_INFINITY || certificate === null || certificate.untrusted !== null) {
      return true;
    }
    const { spiffeId, subject, issuer } = certificate;
    return count(socket, this.#ofIdentity, JSON.stringify([spiffeId ?? subject, issuer]), identityConnectionsMax);
  }

  #servePlain(socket: Socket, ends: Ends): void {
    const { name, protocols, handshakeTimeoutMs } = this.#settings;
    const serve = (protocol: HttpProtocol): void =>
      this.#serve(
        socket,
        { listener: name, ...ends, protocol, secure: false, certificate: null, ja4: null },
        this.#settings,
      );
    if (!protocols.includes("h2")) {
      serve("http/1.1");
      return;
    }
    awaitFirstBytes(socket, handshakeTimeoutMs, {
      isEnough: tellsProtocol,
      onEnough: (seen) => serve(isLikePreface(seen) ? "h2" : "http/1.1"),
      onTimeout: () => this.#refuse(socket, ends.peer, "protocol_timeout", `too few bytes in ${handshakeTimeoutMs} ms`),
      onEnd: () => socket.destroy(),
    });
  }

  #serve(socket: Socket, facts: ConnectionFacts, settings: ListenerSettings): void {
    this.#handshakes.get(socketBelow(socket))?.end();
    if (settings.protocols.includes(facts.protocol)) this.#deps.serve(socket, facts, settings);
    else this.#refuse(socket, facts.peer, "protocol_unsupported", facts.protocol);
  }

  #onHandshakeFailure(fault: HandshakeFault, socket: Socket): void {
    const below = socketBelow(socket);
    // Told already: what TLS makes of it is only that the socket is gone.
    if (fault !== GAVE_WAY && this.#handshakes.get(below)?.gaveWay === true) return;
    const peer = this.#ends.get(below)?.peer.text ?? "";
    const { telemetry } = this.#deps;
    telemetry.handshakeFailed(this.#settings.name, classifyHandshake(fault), peer, describeHandshake(fault));
  }

  /** Null where the connection is gone already. */
  #peerOf(socket: Socket): Address | null {
    if (this.#isUnix) return UNIX_PEER;
    // Link-local addresses come with their zone, which is ours and not the peer's.
    return parseAddress((socket.remoteAddress ?? "").replace(/%.*$/, ""));
  }
}

/** Counts the connection for its client until it is closed; false where that would be one too many. */
function count(socket: Socket, counts: OpenCounts, client: number | string, most: number): boolean {
  if (!counts.take(client, most)) return false;
  socket.once("close", () => counts.release(client));
  return true;
}
