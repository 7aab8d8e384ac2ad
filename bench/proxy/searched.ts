import { orderOf } from "./order.ts";
import type { SearchedBody } from "./workloads.ts";
import { PATH, POST_PATH } from "./world.ts";

/** The OWASP Core Rule Set where Debian puts it. */
export const CRS_SETUP = "/etc/modsecurity/crs/crs-setup.conf";
export const CRS_RULES = "/usr/share/modsecurity-crs/rules";
export const CRS_FILES: readonly string[] = [CRS_SETUP, CRS_RULES];

/** A request that rules search. */
export interface SearchedRequest {
  readonly path: string;
  /** Null: a GET. */
  readonly body: string | null;
  readonly type: string;
}

const BOUNDARY = "----bench7f3a";
const FIELDS: readonly (readonly [string, string])[] = [
  ["customer", "6f1c1a52-54f3-4c61-9a35-0d6e5f1f2a77"],
  ["note", "Please ring twice, the bell of the side door is broken."],
  ["street", "Long Street 42"],
  ["city", "Exampletown"],
  ...Array.from({ length: 32 }, (_, at) => [`item${at}`, `Article number ${at}, in the usual size`] as const),
];

const TYPES: Readonly<Record<SearchedBody, string>> = {
  get: "",
  json: "application/json",
  form: "application/x-www-form-urlencoded",
  multipart: `multipart/form-data; boundary=${BOUNDARY}`,
};

const ATTACK = "1' UNION SELECT password FROM users-- ";

/** What people send; `isAttack`: with SQL in one of its values, which rules have to refuse. */
export function searchedRequest(kind: SearchedBody, isAttack: boolean): SearchedRequest {
  const note = isAttack ? ATTACK : (FIELDS[1]?.[1] ?? "");
  const fields = FIELDS.map(([name, value]) => [name, name === "note" ? note : value] as const);
  if (kind === "get") {
    const query = new URLSearchParams({ page: "2", sort: "-price", q: isAttack ? ATTACK : "blue shirt" });
    return { path: `${PATH}?${query}`, body: null, type: "" };
  }
  return { path: POST_PATH, body: BODIES[kind](fields, note), type: TYPES[kind] };
}

type Fields = readonly (readonly [string, string])[];

const BODIES: Readonly<Record<Exclude<SearchedBody, "get">, (fields: Fields, note: string) => string>> = {
  json: (_, note) => orderOf(19).replace(/"note":"[^"]*"/, `"note":${JSON.stringify(note)}`),
  form: (fields) => new URLSearchParams(fields.map(([name, value]) => [name, value])).toString(),
  multipart: (fields) => {
    const parts = fields.map(
      ([name, value]) => `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
    );
    return `${parts.join("")}--${BOUNDARY}--\r\n`;
  },
};
