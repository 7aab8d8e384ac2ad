import type { Reason } from "../../decision/reason.ts";
import { CONTINUE, Denial, type Place, type Verdict } from "../../decision/verdict.ts";
import type { ClientCertificate } from "../../message/connection.ts";
import { canonicalName } from "../../message/distinguished-name.ts";
import { parseSpiffeId } from "../../message/spiffe-id.ts";
import type { Clock } from "../../support/clock.ts";
import { excerpt } from "../../support/excerpt.ts";
import { dnsPattern, pathPattern } from "../client-certificate/patterns.ts";
import { type Rule, UNDECIDED, Undecided } from "./evaluate.ts";

const SEEN_MAX = 200;

interface Words {
  readonly label: string;
  readonly wanted: string;
  readonly place: Place;
  readonly reason: Reason;
  readonly clock: Pick<Clock, "wallMs">;
}

/**
 * A rule of the verified client certificate, judged once a connection. Its end is looked at for every request: the handshake
 * saw it once, and a connection may outlive it. Without one that proves something the rule is undecided.
 */
function certificateRule(words: Words, meets: (certificate: ClientCertificate) => true | string): Rule {
  const { label, wanted, place, reason, clock } = words;
  const judged = new WeakMap<ClientCertificate, Verdict>();
  const undecided = (seen: string): Undecided => new Undecided(reason, place, seen, wanted);
  const judge = (certificate: ClientCertificate): Verdict => {
    const known = judged.get(certificate);
    if (known !== undefined) return known;
    const met = meets(certificate);
    const verdict = met === true ? CONTINUE : new Denial(reason, place, excerpt(met, SEEN_MAX), wanted);
    judged.set(certificate, verdict);
    return verdict;
  };
  return {
    label,
    wanted,
    phase: "authorize",
    parts: [],
    judge: ({ certificate }, quiet) => {
      if (quiet === true && provenAt(certificate, clock) === null) return UNDECIDED;
      if (certificate === null) return undecided("no client certificate");
      if (certificate.untrusted !== null) return undecided(`certificate not trusted: ${certificate.untrusted}`);
      if (clock.wallMs() > certificate.notAfterMs) {
        return undecided(`certificate expired ${new Date(certificate.notAfterMs).toISOString()}`);
      }
      return judge(certificate);
    },
  };
}

/** The certificate if it proves anything now. */
function provenAt(certificate: ClientCertificate | null, clock: Words["clock"]): ClientCertificate | null {
  if (certificate === null || certificate.untrusted !== null) return null;
  return clock.wallMs() > certificate.notAfterMs ? null : certificate;
}

type Given = Pick<Words, "label" | "place" | "clock">;

/** Its SPIFFE ID is one of `patterns`: `*` stands for a path segment, `/**` at the end for one or more. */
export function requireSpiffeId(patterns: readonly string[], given: Given): Rule {
  const matches = patterns.map(pathPattern);
  const wanted = `SPIFFE ID ${patterns.join(" or ")}`;
  return certificateRule({ ...given, wanted, reason: "spiffe_id_mismatch" }, ({ spiffeId }) => {
    if (spiffeId === null) return "certificate without SPIFFE ID";
    // No empty and no dot segments that a reader might resolve.
    if (parseSpiffeId(spiffeId) === null) return `no SPIFFE ID: ${spiffeId}`;
    return matches.some((match) => match(spiffeId)) ? true : `SPIFFE ID ${spiffeId}`;
  });
}

/** One of its DNS names is one of `patterns`. */
export function requireDnsName(patterns: readonly string[], given: Given): Rule {
  const matches = patterns.map(dnsPattern);
  const wanted = `a DNS name of ${patterns.join(", ")}`;
  return certificateRule({ ...given, wanted, reason: "certificate_mismatch" }, ({ dnsNames }) =>
    dnsNames.some((name) => matches.some((match) => match(name)))
      ? true
      : `DNS names ${dnsNames.slice(0, 8).join(", ") || "(none)"}`,
  );
}

/** Its subject is one of `subjects`, in whatever spelling. */
export function requireSubject(subjects: readonly string[], given: Given): Rule {
  const known = new Set(subjects.map(canonicalName));
  const wanted = `a subject of ${subjects.join("; ")}`;
  return certificateRule({ ...given, wanted, reason: "certificate_mismatch" }, ({ subject }) => {
    const name = canonicalName(subject);
    // A certificate without a subject has none that could be meant.
    return name !== null && known.has(name) ? true : `subject ${subject || "(none)"}`;
  });
}
