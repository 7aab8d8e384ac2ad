import type { SupposedCertificate } from "../rehearsal/supposed-certificate.ts";
import { shellWord } from "../support/shell-word.ts";
import { flowText } from "./flow-text.ts";
import type { Identity } from "./identities.ts";

/** A text, or bytes that are none. */
export type WitnessBody = string | Buffer;

/** A request that both policies are asked about. */
export interface Witness {
  readonly method: string;
  /** Path with query. */
  readonly target: string;
  /** `Name: value` lines. */
  readonly headers: readonly string[];
  readonly client: string;
  readonly identity: Identity;
  readonly body: WitnessBody | null;
  /** One that the handshake trusts; null for none. */
  readonly certificate: SupposedCertificate | null;
  /** Unix milliseconds; null for the time of the comparison. */
  readonly atMs: number | null;
}

/** The same with what is shown of each text; of bytes that are no text nothing is another. */
export function showing(witness: Witness, show: (text: string) => string): Witness {
  const { target, headers, identity, body } = witness;
  return {
    ...witness,
    target: show(target),
    headers: headers.map(show),
    identity: { ...identity, as: identity.as === null ? null : show(identity.as) },
    body: typeof body === "string" ? show(body) : body,
  };
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
  const file = body === null ? "" : `${printCommand(body)} > witness.body && `;
  return `${file}${words.join(" ")}`;
}

/** As every POSIX shell prints it: bytes that are no plain text in octal. */
function printCommand(body: WitnessBody): string {
  if (typeof body === "string") return `printf %s ${shellWord(body)}`;
  const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, "0")}`;
  const isPlain = (byte: number): boolean => byte >= 0x20 && byte < 0x7f && !UNPLAIN.includes(byte);
  const text = [...body].map((byte) => (isPlain(byte) ? String.fromCharCode(byte) : octal(byte))).join("");
  // What begins with a dash is else taken for an option.
  return `printf -- '${text}'`;
}

/** Quote, percent and backslash. */
const UNPLAIN: readonly number[] = [0x27, 0x25, 0x5c];
