import { dirname, resolve } from "node:path";
import { type Compared, compare } from "../comparison/compare.ts";
import type { Identity } from "../comparison/identities.ts";
import { answerTo, isOfRoutes, QUESTIONS, type Question } from "../comparison/questions.ts";
import { comparisonJson, comparisonText } from "../comparison/report.ts";
import { SchemaSource } from "../comparison/schema-source.ts";
import { explainCommandLine } from "../comparison/witness.ts";
import { openTestWorld } from "../rehearsal/test-world.ts";
import { type Command, type CommandIo, EXIT, JSON_OPTION, misuse, type Options, parseOptions } from "./command.ts";
import { readIdentity } from "./explain.ts";
import { problemLine } from "./load-policy.ts";
import { CONFIGMAP_OPTION } from "./policy-reader.ts";
import { type Tell, withProgress } from "./progress.ts";
import { testInputs } from "./test-inputs.ts";

const OPTIONS = {
  ask: {
    type: "string",
    value: QUESTIONS.join("|"),
    text: "only answers; implies: what OLD allows NEW allows, too; the last two of one policy",
  },
  route: {
    type: "string",
    value: "TEMPLATE",
    text: "of those two: by this route alone, as in '/v1/orders/{orderId}'",
  },
  as: {
    type: "string",
    multiple: true,
    value: "IDENTITY",
    text: "a further caller to try, as 'explain' takes it; may be repeated",
  },
  ...CONFIGMAP_OPTION,
  ...JSON_OPTION,
} as const satisfies Options;

export const diffCommand: Command = {
  name: "diff",
  summary: "Compares two policies by what they allow, with a request for each difference that 'explain' reproduces.",
  usage: `[OPTION]... OLD NEW
--ask (always-allows | always-denies) [OPTION]... POLICY`,
  options: OPTIONS,
  example: `postern diff old.yaml new.yaml
Exit code 0: no difference was found, or the answer is yes. 1: there are some, or it is no. 2: used wrongly, or a policy
has problems.`,

  async run(args, io) {
    const parsed = parseOptions(args, OPTIONS);
    if (!parsed.ok) return misuse(diffCommand, parsed.error, io);
    const { values, positionals } = parsed.value;
    const question = QUESTIONS.find((one) => one === values.ask);
    if (values.ask !== undefined && question === undefined) {
      return misuse(diffCommand, `--ask: expected one of ${QUESTIONS.join(", ")}`, io);
    }
    const isOfOne = question !== undefined && isOfRoutes(question);
    const [before, after = isOfOne ? before : undefined] = positionals;
    if (before === undefined || after === undefined || positionals.length !== (isOfOne ? 1 : 2)) {
      return misuse(diffCommand, `expected the name${isOfOne ? " of one policy" : "s of two policies"}`, io);
    }
    if (values.route !== undefined && !isOfOne)
      return misuse(diffCommand, "--route: expected with --ask always-allows or --ask always-denies", io);
    const further: Identity[] = [];
    for (const text of values.as ?? []) {
      const identity = await readIdentity(text);
      if (!identity.ok) return misuse(diffCommand, identity.error, io);
      if (identity.value.assumed === null)
        return misuse(diffCommand, "--as: certificates are made of what the policies ask for", io);
      further.push({ as: text, assumed: identity.value.assumed });
    }
    const isJson = values.json === true;
    const wanted = { further, question, route: values.route ?? null, isJson, configMap: values.configmap };
    return withProgress(io, isJson, (told, tell) => diff([before, after], wanted, told, tell));
  },
};

interface Wanted {
  readonly further: readonly Identity[];
  readonly question: Question | undefined;
  /** Null: of all. */
  readonly route: string | null;
  readonly isJson: boolean;
  readonly configMap: string | undefined;
}

async function diff(
  [before, after]: readonly [string, string],
  { further, question, route, isJson, configMap }: Wanted,
  io: CommandIo,
  tell: Tell,
): Promise<number> {
  const worlds: (Compared | null)[] = [];
  for (const policy of [before, after]) {
    tell(policy);
    worlds.push(await open(policy, configMap, io));
  }
  const [old, now] = worlds;
  if (old == null || now == null) return EXIT.misuse;
  const comparison = await compare(old, now, io.clock.wallMs(), further, (requests) =>
    tell(`${requests} requests asked of both policies`),
  );
  for (const one of worlds) one?.world.close();
  if (route !== null && !comparison.routes.has(route))
    return misuse(diffCommand, `--route: ${before} has no route '${route}'`, io);
  if (question !== undefined) {
    const policies = isOfRoutes(question) ? [before] : [before, after];
    return tellAnswer(question, policies, comparison, { isJson, route }, io);
  }
  const text = isJson ? comparisonJson : comparisonText;
  io.stdout(text(comparison, before, after));
  return comparison.differences.length + comparison.changes.length === 0 ? EXIT.fine : EXIT.problems;
}

async function open(policy: string, configMap: string | undefined, io: CommandIo): Promise<Compared | null> {
  const inputs = testInputs(io, configMap);
  const opened = await openTestWorld(policy, { ...inputs, outline: "values" });
  if (opened.ok) {
    return { world: opened.value, schemas: new SchemaSource(dirname(resolve(io.cwd, policy)), inputs.readFile) };
  }
  for (const problem of opened.error) io.stderr(problemLine(problem));
  return null;
}

function tellAnswer(
  question: Question,
  policies: readonly string[],
  comparison: Parameters<typeof answerTo>[1],
  { isJson, route }: Pick<Wanted, "isJson" | "route">,
  io: CommandIo,
): number {
  const { holds, text, witness } = answerTo(question, comparison, route);
  const commands = witness === null ? [] : policies.map((policy) => explainCommandLine(witness, policy));
  if (isJson)
    io.stdout(
      `${JSON.stringify({ question, holds, text, commands, requests: comparison.requests, leftOut: comparison.leftOut })}\n`,
    );
  else io.stdout(`${holds ? "yes" : "no"}: ${text}\n${commands.map((line) => `    ${line}\n`).join("")}`);
  return holds ? EXIT.fine : EXIT.problems;
}
