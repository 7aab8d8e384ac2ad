import { existsSync } from "node:fs";
import { join } from "node:path";
import { type LogLine, startPostern } from "../../fixtures/postern.ts";

/** A postern that searches with all rules of a release and refuses nothing. */
export interface Running {
  readonly port: number;
  /** Ids of rules that matched in the next request of a client; null where it came to no rule. */
  matched(client: string): Promise<ReadonlySet<number> | null>;
  stop(): Promise<void>;
}

/** What the regression tests expect of the setup, beside its defaults. */
const VARIABLES = {
  // Versions 4.25 leave attributes of XML out without it.
  crs_xml_attr_inspect: 1,
  crs_validate_utf8_encoding: 1,
  arg_name_length: 100,
  arg_length: 400,
  total_arg_length: 64_000,
  max_num_args: 255,
  max_file_size: 64_100,
  combined_file_sizes: 65_535,
};

export async function startSearching(release: string, app: number): Promise<Running> {
  const setup = ["crs-setup.conf", "crs-setup.conf.example"].map((name) => join(release, name)).find(existsSync);
  const rules = [...(setup === undefined ? [] : [setup]), join(release, "rules")];
  const detector = {
    rules,
    paranoia: 4,
    mode: "audit",
    answers: "bodies",
    beyond: "pass",
    variables: textsOf(VARIABLES),
  };
  const postern = await startPostern(
    app,
    ({ port }) => `
version: 1
service: rules
listeners:
  - { name: inbound, address: "127.0.0.1:${port}" }
upstreams:
  app: { address: "http://127.0.0.1:${app}" }
detectors:
  crs: ${JSON.stringify(detector)}
routes:
  - { path: /**, methods: [GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, PROPFIND], public: true, detect: [crs] }
  - { path: /, methods: [GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, PROPFIND], public: true, detect: [crs] }
`,
  );
  const read = new WeakSet<LogLine>();
  return {
    port: postern.port,
    matched: async (client) => {
      const line = await postern.logged(
        (one) => one["client"] === client && one["event"] === "request" && !read.has(one),
      );
      read.add(line);
      return idsOf(line);
    },
    stop: async () => {
      postern.process.kill("SIGTERM");
      await postern.exited;
    },
  };
}

function textsOf(values: Readonly<Record<string, number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}

/** A body without a reading is refused before its rules; only audited here, it passes. */
const UNREAD = /^body_not_/;

function idsOf(line: LogLine): ReadonlySet<number> | null {
  const audited = (line["audited"] ?? []) as readonly { readonly reason: string }[];
  if (audited.some(({ reason }) => UNREAD.test(reason))) return null;
  const detected = line["detected"];
  if (detected !== undefined) return new Set(Object(detected).rules as readonly number[]);
  // What no rule matched in went to the service, and what never came to the rules did not.
  return line["reason"] === undefined || line["source"] === "upstream" ? new Set() : null;
}
