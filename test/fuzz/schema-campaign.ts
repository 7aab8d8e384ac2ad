import "@hyperjump/json-schema/draft-2019-09";
import "@hyperjump/json-schema/draft-07";
import {
  registerSchema,
  setShouldValidateFormat,
  unregisterSchema,
  validate,
} from "@hyperjump/json-schema/draft-2020-12";
import "@hyperjump/json-schema/formats";
import { parseJson } from "../../src/bodies/json.ts";
import { compileSchema } from "../../src/schema/compile.ts";
import { readDocument } from "../../src/schema/document.ts";
import type { Validator } from "../../src/schema/judge/validator.ts";
import { Turns } from "../../src/support/turns.ts";
import { caseSeed, Random } from "./random.ts";
import {
  DRAWN_DIALECTS,
  type DrawnDialect,
  drawValue,
  type Json,
  SchemaGrammar,
  spelledOut,
} from "./schema-grammar.ts";

export interface SchemaDisagreement {
  readonly index: number;
  readonly schema: Json;
  readonly body: Json;
  readonly ours: string;
  readonly theirs: string;
}

export interface SchemaTally {
  schemas: number;
  verdicts: number;
  fitting: number;
  /** Schemas that one of the two does not take, by why. */
  readonly refused: Map<string, number>;
  readonly disagreements: SchemaDisagreement[];
}

setShouldValidateFormat(true);

const BODIES_PER_SCHEMA = 30;
const DISAGREEMENTS_MAX = 20;

export interface SchemaCampaign {
  readonly seed: number;
  readonly verdictsMax: number;
  readonly minutesMax: number;
  onRound?(tally: SchemaTally): void;
}

/**
 * Random schemas and random bodies, judged by ours and by @hyperjump/json-schema: both are to give the same verdict. Ours is asked at once, in turns of one step, and for its faults.
 */
export async function runSchemaCampaign(campaign: SchemaCampaign): Promise<SchemaTally> {
  const tally: SchemaTally = { schemas: 0, verdicts: 0, fitting: 0, refused: new Map(), disagreements: [] };
  const endMs = performance.now() + campaign.minutesMax * 60_000;
  for (let index = 0; tally.verdicts < campaign.verdictsMax && performance.now() < endMs; index++) {
    await runCase(campaign.seed, index, tally);
    if (tally.disagreements.length >= DISAGREEMENTS_MAX) break;
    campaign.onRound?.(tally);
  }
  return tally;
}

async function runCase(seed: number, index: number, tally: SchemaTally): Promise<void> {
  const random = new Random(caseSeed(seed, index));
  const { dialect, uri } = random.pick<(typeof DRAWN_DIALECTS)[number]>(DRAWN_DIALECTS);
  const schema = new SchemaGrammar(random, dialect).root(uri);
  tally.schemas++;
  const ours = dialect === "2019-09" && isTakenApart(schema) ? CONTAINS_EVALUATES : compileOurs(schema, dialect);
  const theirs = typeof ours === "string" ? ours : await compileTheirs(schema, index);
  if (typeof ours === "string" || typeof theirs === "string") {
    const why = String(theirs);
    tally.refused.set(why, (tally.refused.get(why) ?? 0) + 1);
    return;
  }
  for (let n = 0; n < BODIES_PER_SCHEMA; n++) {
    const body = drawValue(random, 3);
    tally.verdicts++;
    const [mine, other] = [await judgeOurs(ours, spelledOut(body)), judged(() => theirs(body))];
    if (mine === "fits") tally.fitting++;
    if (mine !== other) tally.disagreements.push({ index, schema, body, ours: mine, theirs: other });
  }
}

/** In 2019-09 an item that `contains` fits is not evaluated by that (core section 9.3.1.3); for theirs it is, as since 2020-12. */
const CONTAINS_EVALUATES = "theirs: contains evaluates items in 2019-09";

function isTakenApart(schema: Json): boolean {
  const text = JSON.stringify(schema);
  return text.includes('"contains":') && text.includes('"unevaluatedItems":');
}

function compileOurs(schema: Json, dialect: DrawnDialect): Validator | string {
  const document = readDocument("https://example.org/ours/root", "root", Buffer.from(spelledOut(schema)));
  if (!document.ok) return document.error.text;
  const compiled = compileSchema(document.value, {
    dialect,
    assertsFormat: true,
    takesUnknownKeywords: true,
    refusesOtherCase: false,
    retrieve: () => null,
  });
  if (compiled.ok) return compiled.value.validator;
  return compiled.error.map(({ text }) => text.replace(/^'[^']*' /, "")).join("; ");
}

/** Why not, where references lead in a circle in a part that nothing leads to: it follows them all the same. */
async function compileTheirs(schema: Json, index: number): Promise<((body: Json) => boolean) | string> {
  const at = `https://example.org/theirs/${index}/root`;
  registerSchema(schema as Parameters<typeof registerSchema>[0], at);
  try {
    const validator = await validate(at);
    return (body) => validator(body).valid;
  } catch (error) {
    if (error instanceof RangeError) return `theirs: ${error.message}`;
    throw error;
  } finally {
    unregisterSchema(at);
  }
}

/** Always due, so that a body is judged in as many turns as can be. */
const hurried = {
  monotonicMs: (() => {
    let nowMs = 0;
    return () => nowMs++;
  })(),
};

async function judgeOurs(validator: Validator, text: string): Promise<string> {
  const parsed = parseJson(Buffer.from(text));
  if (!parsed.ok) return parsed.error;
  const atOnce = validator.judge(parsed.value);
  const inTurns = await validator.judgeInTurns(parsed.value, new Turns(hurried, 1));
  if ((atOnce === null) !== (inTurns === null)) return "differs in turns";
  if (atOnce?.length === 0) return "refused without a fault";
  return atOnce === null ? "fits" : "does not";
}

function judged(judge: () => boolean): string {
  try {
    return judge() ? "fits" : "does not";
  } catch (error) {
    return `throws ${error instanceof Error ? error.message : error}`;
  }
}
