import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { RELEASE_RULES } from "../../test/detection/release.ts";
import { OTHER_CORE } from "../proxy/processes.ts";
import { medianRatio, percentile, type Served, servedMeanwhile } from "../proxy/served.ts";

/**
 * What others notice of a client that sends texts of 64 KiB that are costly to search, on one connection and on eight: how long their
 * requests take, which rules search as well, without it and beside it in turns. `npm run bench:neighbours -- FOLDER`, the `rules` folder
 * of a release of the OWASP Core Rule Set.
 */
const [folder = RELEASE_RULES, connections] = process.argv.slice(2);
if (!existsSync(folder)) {
  console.error(`there is no folder '${folder}'; expected the rules of a release of the OWASP Core Rule Set`);
  process.exit(2);
}
const PERCENTS = [50, 90, 99];

if (connections === undefined) {
  for (const several of ["1", "8"]) {
    // Postern has the other core to itself.
    const args = ["-c", String(OTHER_CORE), process.execPath, import.meta.filename, folder, several];
    spawnSync("taskset", args, { stdio: "inherit" });
  }
} else {
  const settings = {
    path: "/good",
    headers: { "user-agent": "bench", accept: "*/*" },
    env: {},
    files: {},
    policy: `detectors: { crs: { rules: ['${folder}'], searchBytesMax: 4MiB, variables: { allowed_methods: GET POST } } }
routes:
  - { path: /good, public: true, detect: { by: [crs], mode: audit } }
  - { path: /texts, methods: [POST], public: true, detect: { by: [crs], mode: audit } }
`,
  };
  const served = await servedMeanwhile(settings, ({ port }) => {
    const client = join(import.meta.dirname, "hostile-client.ts");
    const child = spawn(process.execPath, [client, `${port}`, connections], { stdio: ["pipe", "inherit", "inherit"] });
    const ended = new Promise<void>((done, failed) => {
      child.on("exit", (code) => (code === 0 ? done() : failed(new Error(`the hostile client ended with ${code}`))));
    });
    return () => {
      child.stdin?.end();
      return ended;
    };
  });
  const ms = (rounds: Served["before"], percent: number): string =>
    rounds.map((one) => percentile(one, percent).toFixed(1)).join(", ");
  for (const percent of PERCENTS) {
    const { before, meanwhile } = served;
    console.log(
      `${connections} connections: p${percent} of others ${ms(before, percent)} ms, beside it ${ms(meanwhile, percent)} ms: ${medianRatio(served, percent).toFixed(2)} x`,
    );
  }
}
