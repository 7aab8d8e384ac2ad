import { shellWord } from "../support/shell-word.ts";
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
}

/** Where a command starts from if it says nothing. */
export const USUAL_CLIENT = "127.0.0.1";

/** The command line by which a person sees what `policy` says of it. */
export function explainCommandLine(
  { method, target, headers, client, identity, body }: Witness,
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
    ...(body === null ? [] : ["--body", "witness.body"]),
    shellWord(`${method} ${target}`),
  ];
  const file = body === null ? "" : `printf %s ${shellWord(body)} > witness.body && `;
  return `${file}${words.join(" ")}`;
}
