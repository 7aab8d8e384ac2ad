import { existsSync, readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setup as buildOnce } from "../fixtures/built.ts";
import { closeAll } from "../fixtures/closing.ts";
import { type Case, readCases, type Stage } from "./crs/cases.ts";
import { explanationOf } from "./crs/explained.ts";
import { startReflectingService } from "./crs/reflecting-service.ts";
import { type Running, startSearching } from "./crs/searching-postern.ts";

/**
 * `npm run conform:crs -- RELEASE`: the regression tests of an OWASP Core Rule Set against a running postern, over real sockets.
 * RELEASE is an unpacked release (https://github.com/coreruleset/coreruleset) with `rules/`, `crs-setup.conf.example` and
 * `tests/regression/tests`. All paranoia levels run. `--rule 942100` takes the cases of one rule, `--verbose` names each miss. Prints, per paranoia level
 * of the rule that a case is about, the share that passed; ends with 1 where a miss has no explanation.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rule: { type: "string" }, verbose: { type: "boolean", default: false }, tests: { type: "string" } },
});
const [release = ""] = positionals;
const folder = values.tests ?? join(release, "tests/regression/tests");
if (!existsSync(folder)) {
  console.error(
    `there is no folder '${folder}'; expected a release of the OWASP Core Rule Set with its regression tests`,
  );
  process.exit(2);
}

/** Longest wait for more of a request that never comes; then the client leaves. */
const STALLED_MS = 5_000;

/** They ask at once, each from an address of its own by which the log tells them apart. */
const CLIENTS = 32;

interface Tally {
  passed: number;
  codec: number;
  explained: number;
  missed: number;
}

const paranoiaOf = paranoiaLevels();
const tallies = new Map<number, Tally>();
const port = await startReflectingService();
await buildOnce();
const postern = await startSearching(release, port);
const cases = readCases(folder).filter(({ rule }) => values.rule === undefined || String(rule) === values.rule);
await Promise.all(Array.from({ length: CLIENTS }, (_, at) => runAll(`127.0.1.${at + 1}`)));
report();
await postern.stop();
closeAll();

/** One client after the other takes the next case. */
async function runAll(client: string): Promise<void> {
  for (let one = cases.pop(); one !== undefined; one = cases.pop()) {
    const level = paranoiaOf.get(one.rule) ?? 1;
    const tally = tallies.get(level) ?? { passed: 0, codec: 0, explained: 0, missed: 0 };
    tallies.set(level, tally);
    const miss = await run(one, postern, client);
    if (miss === null) tally.passed++;
    else if (miss === "codec") tally.codec++;
    else {
      const why = explanationOf(one.name);
      if (why === null) tally.missed++;
      else tally.explained++;
      if (values.verbose || why === null) console.log(`${one.name}: ${miss}${why === null ? "" : ` (${why})`}`);
    }
  }
}

/** Null where it passed; `codec` where the request never came to the rules, being no HTTP that postern lets in. */
async function run({ stages }: Case, to: Running, client: string): Promise<string | "codec" | null> {
  let byCodec = false;
  for (const stage of stages) {
    const { status, ids } = await ask(stage, to, client);
    if (ids === null) {
      // Refused before any rule: what a rule would have seen does not reach the service.
      const wantsHit = stage.expectIds.length > 0 || stage.expectsError || stage.statuses.includes(400);
      if (!wantsHit) return `refused with ${status} before the rules`;
      byCodec = true;
      continue;
    }
    const absent = stage.expectIds.filter((id) => !ids.has(id));
    const unwanted = stage.noExpectIds.filter((id) => ids.has(id));
    if (absent.length > 0) return `${absent.join(", ")} did not match; did: ${[...ids].join(", ")}`;
    if (unwanted.length > 0) return `${unwanted.join(", ")} matched`;
  }
  return byCodec ? "codec" : null;
}

/** `ids`: of rules that matched; null where the request came to none. */
async function ask(
  stage: Stage,
  to: Running,
  client: string,
): Promise<{ readonly status: number; readonly ids: ReadonlySet<number> | null }> {
  let head = "";
  const socket = connect({ port: to.port, host: "127.0.0.1", localAddress: client }, () => socket.write(stage.request));
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    head += head.length < 64 ? chunk.toString("latin1") : "";
  });
  const stalled = setTimeout(() => socket.end(), STALLED_MS);
  const ids = await to.matched(client);
  clearTimeout(stalled);
  socket.destroy();
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0), ids };
}

/** By the tag of each rule. */
function paranoiaLevels(): ReadonlyMap<number, number> {
  const levels = new Map<number, number>();
  const rules = join(release, "rules");
  for (const name of readdirSync(rules).filter((one) => one.endsWith(".conf"))) {
    for (const rule of readFileSync(join(rules, name), "utf8").split(/^Sec/m)) {
      const id = /\bid:(\d+)/.exec(rule)?.[1];
      const level = /paranoia-level\/(\d)/.exec(rule)?.[1];
      if (id !== undefined && level !== undefined) levels.set(Number(id), Number(level));
    }
  }
  return levels;
}

function report(): void {
  for (const [level, { passed, codec, explained, missed }] of [...tallies].sort(([a], [b]) => a - b)) {
    const all = passed + codec + explained + missed;
    const share = (((passed + codec) / all) * 100).toFixed(1);
    console.log(
      `paranoia ${level}: ${share} % of ${all} (${passed} by the rules, ${codec} by the codec), ${explained} explained, ${missed} not`,
    );
    if (missed > 0) process.exitCode = 1;
  }
}
