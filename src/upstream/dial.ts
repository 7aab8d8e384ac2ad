import { connect, isIP, type NetConnectOpts, type Socket } from "node:net";
import {
  checkServerIdentity,
  createSecureContext,
  getCACertificates,
  type SecureContext,
  type TLSSocket,
  connect as tlsConnect,
} from "node:tls";
import { SocketReads } from "../http1/socket-reads.ts";
import type { UpstreamSettings, UpstreamTlsSettings } from "../policy/snapshot.ts";
import type { Clock } from "../support/clock.ts";
import type { Deadlines, Timed } from "../support/deadlines.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { TLS_CIPHERS } from "../support/tls-ciphers.ts";
import type { AcquireFailure, Acquirer } from "./upstream.ts";

/** Who dials. Exactly one of these is called for each dial that is not abandoned. */
export interface DialOwner {
  /** `reads` has what an HTTP/1.1 socket reads; HTTP/2 reads its socket itself. */
  onDialed(dial: Dial, socket: Socket, reads: SocketReads): void;
  onDialFailed(dial: Dial, failure: AcquireFailure, detail: string): void;
}

/** Makes connections of one upstream; what TLS needs is prepared once. */
export class Dialer {
  readonly settings: UpstreamSettings;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  #context: SecureContext | null = null;

  constructor(settings: UpstreamSettings, clock: Clock, deadlines: Deadlines) {
    this.settings = settings;
    this.#clock = clock;
    this.#deadlines = deadlines;
  }

  dial(owner: DialOwner, acquirer: Acquirer | null): Dial {
    const { settings } = this;
    const reads = new SocketReads();
    const options = { ...socketOptions(settings), ...(settings.protocol === "h2" ? {} : { onread: reads.onread }) };
    const socket = settings.tls === null ? connect(options) : this.#secure(options, settings.tls);
    return new Dial(socket, reads, settings, owner, acquirer, this.#clock, this.#deadlines);
  }

  #secure(options: NetConnectOpts, tls: UpstreamTlsSettings): TLSSocket {
    this.#context ??= secureContext(tls);
    const { serverName } = tls;
    return tlsConnect({
      ...options,
      secureContext: this.#context,
      rejectUnauthorized: true,
      ALPNProtocols: [this.settings.protocol],
      // RFC 6066 section 3 knows no addresses in SNI.
      ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
      checkServerIdentity: (_host, certificate) => {
        // RFC 9525 section 2: a name in the subject alone is none.
        if (certificate.subjectaltname === undefined) return new Error("the certificate carries no name");
        return checkServerIdentity(serverName, certificate);
      },
    });
  }
}

/** One attempt to reach the service: TCP or Unix socket and TLS over it, all of it within `connectTimeoutMs`. */
export class Dial implements Timed {
  deadlineMs: number;
  /** For whom; null for nobody any more, or for all who wait. */
  acquirer: Acquirer | null;
  readonly #socket: Socket;
  readonly #reads: SocketReads;
  readonly #settings: UpstreamSettings;
  readonly #owner: DialOwner;
  readonly #deadlines: Deadlines;
  readonly #onError = (error: NodeJS.ErrnoException): void => this.#fail(error.code ?? error.message);
  readonly #onClose = (): void => this.#fail("closed");
  #hasTcp = false;
  #settled = false;

  constructor(
    socket: Socket,
    reads: SocketReads,
    settings: UpstreamSettings,
    owner: DialOwner,
    acquirer: Acquirer | null,
    clock: Clock,
    deadlines: Deadlines,
  ) {
    this.#socket = socket;
    this.#reads = reads;
    this.#settings = settings;
    this.#owner = owner;
    this.acquirer = acquirer;
    this.#deadlines = deadlines;
    this.deadlineMs = clock.monotonicMs() + settings.connectTimeoutMs;
    deadlines.add(this);
    socket.on("error", this.#onError);
    socket.on("close", this.#onClose);
    socket.once("connect", () => {
      this.#hasTcp = true;
      if (settings.tls === null) this.#succeed();
    });
    if (settings.tls !== null) socket.once("secureConnect", () => this.#onSecure(socket));
  }

  /** Ends it without a word to the owner. */
  abandon(): void {
    this.#settle();
    this.#socket.destroy();
  }

  onDeadline(): void {
    const { connectTimeoutMs } = this.#settings;
    this.#end("upstream_connect_timeout", `no ${this.#hasTcp ? "handshake" : "connection"} in ${connectTimeoutMs} ms`);
  }

  #onSecure(socket: Socket & Partial<Pick<TLSSocket, "alpnProtocol">>): void {
    // A service that knows no ALPN speaks HTTP/1.1; HTTP/2 has to be chosen (RFC 9113 section 3.2).
    const chosen = socket.alpnProtocol === false ? "http/1.1" : socket.alpnProtocol;
    if (chosen === this.#settings.protocol) this.#succeed();
    else this.#end("upstream_tls_failed", `the service does not choose ${this.#settings.protocol} by ALPN`);
  }

  #fail(detail: string): void {
    if (this.#hasTcp) this.#end("upstream_tls_failed", detail);
    else this.#end(OWN_SHORTAGES.has(detail) ? "overloaded" : "upstream_connect_failed", detail);
  }

  #succeed(): void {
    if (!this.#settle()) return;
    this.#socket.off("error", this.#onError);
    this.#socket.off("close", this.#onClose);
    this.#owner.onDialed(this, this.#socket, this.#reads);
  }

  #end(failure: AcquireFailure, detail: string): void {
    if (!this.#settle()) return;
    this.#socket.destroy();
    this.#owner.onDialFailed(this, failure, detail);
  }

  #settle(): boolean {
    this.#deadlines.remove(this);
    const isFirst = !this.#settled;
    this.#settled = true;
    return isFirst;
  }
}

/** It is not the service that has nothing left: files, memory or ports of this machine are used up. */
const OWN_SHORTAGES: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EADDRNOTAVAIL"]);

function socketOptions({ address }: UpstreamSettings): NetConnectOpts {
  if (address.type === "unix") return { path: address.path };
  const { host, port } = address;
  // Probes find a service that is gone without a word. HTTP/2 pings would too, but gRPC servers punish frequent ones.
  return { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: DEFAULTS.upstreamKeepAliveMs };
}

function secureContext(tls: UpstreamTlsSettings): SecureContext {
  return createSecureContext({
    ca: tls.ca ?? systemAuthorities(),
    allowPartialTrustChain: tls.hasPartialChains,
    ...(tls.certificate === null || tls.key === null ? {} : { cert: tls.certificate, key: tls.key }),
    minVersion: tls.minVersion,
    maxVersion: "TLSv1.3",
    ciphers: TLS_CIPHERS,
  });
}

/** The authorities of the system (SSL_CERT_FILE and SSL_CERT_DIR count); in an image without any, those of Node. */
function systemAuthorities(): string[] {
  const system = getCACertificates("system");
  return system.length > 0 ? system : getCACertificates("default");
}
