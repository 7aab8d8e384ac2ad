import { join } from "node:path";
import { shellWord } from "../support/shell-word.ts";

/** What the quick start tells about itself; file names as one would type them. */
export interface GuideFacts {
  readonly httpsUrl: string;
  /** Null where the policy has no admin port. */
  readonly adminUrl: string | null;
  readonly policyFile: string;
  /** Folder of certificates and tokens. */
  readonly folder: string;
  /** Somebody is there to press a key. */
  readonly isTerminal: boolean;
}

interface Attempt {
  readonly title: string;
  readonly options: readonly string[];
  readonly path: string;
}

/** The address, the metrics address and five commands to paste: one that is allowed, one per kind of denial. */
export function renderGuide(facts: GuideFacts): string {
  const commands = attempts(facts.folder)
    .map((attempt, at) => `${at + 1}. ${attempt.title}\n${commandLine(attempt, facts)}\n`)
    .join("\n");
  const admin =
    facts.adminUrl === null ? "" : `metrics  ${facts.adminUrl}/metrics   what runs: ${facts.adminUrl}/policy\n`;
  return `
postern guards the sample service.
address  ${facts.httpsUrl}
${admin}policy   ${facts.policyFile}   edit and save it: the next request obeys

${commands}
${facts.isTerminal ? "Enter shows this again. " : ""}Ctrl-C stops everything and removes the certificates.
`;
}

function attempts(folder: string): Attempt[] {
  const file = (name: string) => shellWord(join(folder, name));
  const token = (name: string) => `-H "Authorization: Bearer $(cat ${file(name)})"`;
  const certificate = [`--cert ${file("client.pem")}`, `--key ${file("client.key")}`];
  const json = "-H 'Content-Type: application/json'";
  return [
    {
      title: "allowed: a client certificate of the billing service (200)",
      options: certificate,
      path: "/v1/orders/42",
    },
    {
      title: "not authenticated: no certificate and no token (401)",
      options: [],
      path: "/v1/orders/42",
    },
    {
      title: "not authorized: a token that may only read (403)",
      options: [token("reader.token"), json, `-d '{"item":"lamp","quantity":2}'`],
      path: "/v1/orders",
    },
    {
      title: "not valid: a quantity that the JSON Schema refuses (422)",
      options: [token("writer.token"), json, `-d '{"item":"lamp","quantity":0}'`],
      path: "/v1/orders",
    },
    {
      title: "too many: the fourth report within a minute (429)",
      options: certificate,
      path: "/v1/reports?page=[1-4]", // curl asks for all four
    },
  ];
}

/** curl with the status on a line of its own after the body. */
function commandLine({ options, path }: Attempt, { httpsUrl, folder }: GuideFacts): string {
  const words = [
    "curl -sS -w '\\nHTTP %{http_code}\\n'",
    `--cacert ${shellWord(join(folder, "ca.pem"))}`,
    ...options,
    shellWord(`${httpsUrl}${path}`),
  ];
  return words.join(" ");
}
