import { existsSync } from "node:fs";
import { HOSTILE_TEXTS } from "../detection/hostile-texts.ts";
import { RELEASE_RULES } from "../detection/release.ts";
import { startPostern } from "./kit.ts";
import { ask, countsOf, HEAD, repeat, type ThreadAttack, watched } from "./thread.ts";

/** Texts of 64 KiB that are costly to search, one after the other of each kind, on so many connections of one address; 0: none. */
export async function attackBySearch(app: number, seconds: number, connections: number): Promise<ThreadAttack> {
  if (!existsSync(RELEASE_RULES)) throw new Error(`there is no folder '${RELEASE_RULES}' with rules to search by`);
  const postern = await startPostern(
    (port, admin) => `${HEAD(port, admin, app)}detectors:
  crs: { rules: ['${RELEASE_RULES}'], searchBytesMax: 4MiB, variables: { allowed_methods: GET POST } }
routes:
  - { path: /good, public: true, detect: [crs] }
  - { path: /texts, methods: [POST], public: true, detect: { by: [crs], mode: audit } }
`,
  );
  const bodies = Object.values(HOSTILE_TEXTS).map((text) => Buffer.from(JSON.stringify({ text })));
  const headers = { "content-type": "application/json", "user-agent": "attack", accept: "*/*" };
  return watched(postern, async () => {
    if (connections === 0) {
      await new Promise((done) => setTimeout(done, seconds * 1_000));
      return "nobody but the client with manners";
    }
    const statuses = await repeat(seconds, connections, (agent, at) =>
      ask(agent, postern.port, "POST", "/texts", headers, bodies[at % bodies.length]),
    );
    return `texts of 64 KiB on ${connections} connections: ${countsOf(statuses)}`;
  });
}
