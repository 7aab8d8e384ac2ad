import type { SupposedCertificate } from "../rehearsal/supposed-certificate.ts";
import { shellWord } from "../support/shell-word.ts";
import { flowText } from "./flow-text.ts";
import type { Identity } from "./identities.ts";

/** A request that both policies are asked about. */
export interface Witness {
  readonly method: string;
  /** Path with query. */
  readonly target: string;
  /** `Name: value` lines. */
  readonly headers: readonly string[];
  readonly client: string;
  readonly identity: Identity;
  readonly body: string | null;
  /** One that the handshake trusts; null for none. */
  readonly certificate: SupposedCertificate | null;
  /** Unix milliseconds; null for the time of the comparison. */
  readonly atMs: number | null;
}

/** As `for` and `--as` have them. */
export function whoAsks({ identity, certificate }: Witness): string {
  const text = certificate === null ? null : flowText({ certificate });
  return [identity.as, text].filter((one) => one !== null).join(" and ") || "nobody";
}

/** Where a command starts from if it says nothing. */
export const USUAL_CLIENT = "127.0.0.1";

/** The command line by which a person sees what `policy` says of it. */
export function explainCommandLine(
  { method, target, headers, client, identity, body, certificate, atMs }: Witness,
  policy: string,
): string {
  const words = [
    "postern",
    "explain",
    "--policy",
    shellWord(policy),
    ...(identity.as === null ? [] : ["--as", shellWord(identity.as)]),
    ...headers.flatMap((line) => ["-H", shellWord(line)]),
    ...(client === USUAL_CLIENT ? [] : ["--client", client]),
    ...(certificate === null ? [] : ["--certificate", shellWord(flowText(certificate))]),
    ...(atMs === null ? [] : ["--at", new Date(atMs).toISOString()]),
    ...(body === null ? [] : ["--body", "witness.body"]),
    shellWord(`${method} ${target}`),
  ];
  const file = body === null ? "" : `printf %s ${shellWord(body)} > witness.body && `;
  return `${file}${words.join(" ")}`;
}
