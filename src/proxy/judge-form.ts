import { CONTINUE, Denial, type HeaderLine, type Verdict } from "../decision/verdict.ts";
import type { CidrTable } from "../matching/cidr-table.ts";
import type { Exchange } from "../message/exchange.ts";
import { clientAddressOf } from "../message/forwarded.ts";
import type { ForwardedCertificates } from "../message/forwarded-certificate.ts";
import { USUAL_METHODS } from "../message/method.ts";
import { judgeHandshake } from "../websocket/handshake.ts";
import { FORBIDDEN_METHODS } from "./method-override.ts";

/** The part of a subject that this looks at. */
export interface FormSubject {
  readonly exchange: Exchange;
  /** Whose X-Forwarded-For is believed; null where the peer is none of them. */
  readonly trustedProxies: CidrTable | null;
  /** Whether they are believed what host and port the client asked. */
  readonly trustsForwardedHost: boolean;
  /** Reads the client's certificate out of what they forward; null: it is the connection's. */
  readonly forwardedCertificates: ForwardedCertificates | null;
  /** Why it has no valid reading, so that nothing of it can be judged but whose it is; null where it has one. */
  readonly fault: Denial | null;
}

const KNOWN_METHODS: ReadonlySet<string> = new Set([...USUAL_METHODS, ...FORBIDDEN_METHODS]);
const ALLOW_USUAL: HeaderLine = ["allow", USUAL_METHODS.join(", ")];

/** The client's address as a trusted proxy tells it. Where that cannot be read, the peer stands for it. */
export function findClient({
  exchange,
  trustedProxies,
  trustsForwardedHost,
  forwardedCertificates,
}: FormSubject): Verdict {
  if (trustedProxies === null) return CONTINUE;
  // What the proxy itself showed is not its client's in any case.
  const certificate = forwardedCertificates?.read(exchange.headers);
  if (certificate !== undefined) exchange.certificate = certificate.ok ? certificate.value : null;
  const client = clientAddressOf(exchange.connection.peer, exchange.headers, (address) => trustedProxies.has(address));
  if (!client.ok) return new Denial("forwarded_invalid", null, client.error, "a valid X-Forwarded-For");
  exchange.clientAddress = client.value.address;
  exchange.forwarding = { hops: client.value.hops, trustsHost: trustsForwardedHost };
  if (certificate?.ok === false) {
    return new Denial(
      "forwarded_invalid",
      null,
      certificate.error,
      "a client certificate as the policy's 'format' has it",
    );
  }
  return CONTINUE;
}

/** Whether the request has a form that can be judged; `unknown`: why its client is not known. */
export function judgeForm({ exchange, fault }: FormSubject, unknown: Verdict): Verdict {
  if (fault !== null) return fault;
  if (FORBIDDEN_METHODS.has(exchange.method)) {
    const wanted = "any method but TRACE, TRACK and CONNECT";
    return new Denial("method_forbidden", null, `method ${exchange.method}`, wanted, [ALLOW_USUAL]);
  }
  // Methods are case-sensitive (RFC 9110 section 9.1), but services that fold them would run `delete` as DELETE.
  if (!KNOWN_METHODS.has(exchange.method) && KNOWN_METHODS.has(exchange.method.toUpperCase())) {
    const wanted = exchange.method.toUpperCase();
    return new Denial("method_forbidden", null, `method ${exchange.method}`, wanted, [ALLOW_USUAL]);
  }
  if (exchange.upgrade !== null) {
    const verdict = judgeHandshake(exchange);
    if (verdict !== CONTINUE) return verdict;
  }
  return unknown;
}
