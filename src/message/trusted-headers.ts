import { CLIENT_ROWS } from "./trusted-headers-client.ts";
import { REQUEST_ROWS } from "./trusted-headers-request.ts";

/** What somebody takes from a header, in the words of the table. */
export const TAKEN = {
  path: "the path or root path that is asked for",
  host: "the host that is asked for",
  scheme: "whether the client speaks HTTPS",
  port: "the port that is asked for",
  method: "the method",
  target: "a second target, which no rule has judged",
  handler: "which code runs, or which checks do not",
  address: "the client's address",
  certificate: "the client's certificate",
  identity: "who the caller is",
} as const;

export type Taken = keyof typeof TAKEN;

/** One row: a product, and headers of a request that it believes. */
export interface TrustedRow {
  readonly taken: Taken;
  readonly product: string;
  /** Its documentation or source file. */
  readonly source: string;
  /** As the product writes them. With `*` at the end: every name that begins so. */
  readonly names: readonly string[];
}

/**
 * Headers by which a server, framework, gateway, mesh or identity proxy that is known to us moves a request after it was
 * judged, or believes who the caller is. No client's pass, unless the policy names them.
 */
export const TRUSTED_HEADERS: readonly TrustedRow[] = [...rowsOf(REQUEST_ROWS), ...rowsOf(CLIENT_ROWS)];

/** Lines of `taken | product | source | names` → rows. */
function rowsOf(text: string): TrustedRow[] {
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [taken = "", product = "", source = "", names = ""] = line.split("|").map((cell) => cell.trim());
      if (!isTaken(taken) || names === "") throw new TypeError(`no row of trusted headers: ${line}`);
      return { taken, product, source, names: names.split(" ") };
    });
}

function isTaken(word: string): word is Taken {
  return Object.hasOwn(TAKEN, word);
}

const byName = new Map<string, TrustedRow>();
const byPrefix: (readonly [prefix: string, row: TrustedRow])[] = [];
for (const row of TRUSTED_HEADERS) {
  for (const name of row.names) {
    const canonical = name.toLowerCase().replace(/[^a-z0-9*]/g, "-");
    if (canonical.endsWith("*")) byPrefix.push([canonical.slice(0, -1), row]);
    else if (!byName.has(canonical)) byName.set(canonical, row);
  }
}

/** The row that has this name, given in lower case and with `-` alone between letters and digits; null for none. */
export function trustedRow(canonical: string): TrustedRow | null {
  const row = byName.get(canonical) ?? byPrefix.find(([prefix]) => canonical.startsWith(prefix))?.[1];
  return row ?? null;
}
