// Goal: a long text holds nobody, whatever it is: all that is done with it can stop on the way, and comes to the same. Method:
// hostile texts, and texts of random pieces, each in steps and in one go; steps are counted, not timed.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SearchBuilder } from "../../src/detection/search/search.ts";
import { sqlInjection, sqlInjectionInSteps } from "../../src/detection/sqli/judge.ts";
import { TRANSFORM_NAMES, transformInStepsOf, transformOf } from "../../src/detection/transform/index.ts";
import { crossSiteScript, crossSiteScriptInSteps } from "../../src/detection/xss/judge.ts";
import { atOnce, type Steps } from "../../src/support/turns.ts";
import { HOSTILE_TEXTS } from "./hostile-texts.ts";

function counted<T>(steps: Steps<T>): { readonly value: T; readonly count: number } {
  for (let count = 1; ; count++) {
    const step = steps.next();
    if (step.done === true) return { value: step.value, count };
  }
}

/** Characters that one step goes over at most. */
const STEP_MAX = 8_192;

/** As long as several steps, so that what opens in one closes in another. */
const longText = fc
  .array(
    fc.constantFrom("a", "Z ", "  ,;", "%41", "%u0041", "&#x0041;", "\\x41", "\\", "'^\"", "/(", "/../", "./", "\t\n"),
    {
      minLength: 1,
      maxLength: 40,
    },
  )
  .map((parts) => parts.join("").repeat(400));

const IN_STEPS = TRANSFORM_NAMES.flatMap((name) => {
  const [transform, inSteps] = [transformOf(name), transformInStepsOf(name)];
  return transform === undefined || inSteps === undefined ? [] : [{ name, transform, inSteps }];
});

describe.each(IN_STEPS)("$name of a long text", ({ transform, inSteps }) => {
  test.for(Object.entries(HOSTILE_TEXTS))("of %s stops on the way", ([, text]) => {
    const { value, count } = counted(inSteps(text));
    expect(value).toBe(transform(text));
    const isUnchanged = value === text;
    expect(isUnchanged || count > text.length / STEP_MAX).toBe(true);
  });

  test("comes to the same wherever it stops", () => {
    fc.assert(
      fc.property(longText, (text) => atOnce(inSteps(text)) === transform(text)),
      { numRuns: 40 },
    );
  });
});

test("what a shell reads over is made in steps, and so are escapes and paths", () => {
  const names = IN_STEPS.map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining([
      "cmdline",
      "urldecodeuni",
      "htmlentitydecode",
      "jsdecode",
      "normalizepathwin",
      "lowercase",
    ]),
  );
});

describe("recognisers come to the same in steps", () => {
  const ATTACKS = {
    ...HOSTILE_TEXTS,
    "a query at the end": `${"1 + ".repeat(4_000)}1 union select password from users -- `,
    "a script at the end": `${"<b>x</b> y = z ".repeat(2_000)}<script>alert(1)</script>`,
    "a handler at the end": `${"<b>x</b> y = z ".repeat(2_000)}<b onclick=alert(1)>`,
    "an address behind blanks": `${" ".repeat(40_000)}javascript:alert(1)`,
  };

  test.for(Object.entries(ATTACKS))("%s", ([, text]) => {
    expect(atOnce(sqlInjectionInSteps(text))).toBe(sqlInjection(text));
    expect(atOnce(crossSiteScriptInSteps(text))).toBe(crossSiteScript(text));
  });

  test("and find what stands behind many steps", () => {
    const query = counted(sqlInjectionInSteps(ATTACKS["a query at the end"]));
    expect(query.value).toBeDefined();
    expect(query.count).toBeGreaterThan(10);
    for (const name of ["a script at the end", "a handler at the end"] as const) {
      const script = counted(crossSiteScriptInSteps(ATTACKS[name]));
      expect(script.value, name).toBeDefined();
      expect(script.count, name).toBeGreaterThan(10);
    }
    expect(crossSiteScript(ATTACKS["an address behind blanks"])).toBe("url");
  });
});

test("patterns that may match a long text are told in steps, while another text is looked at", () => {
  const builder = new SearchBuilder();
  const words = builder.words(["needle"]);
  const pattern = builder.rx("hay(stack)?s");
  const search = atOnce(builder.build());
  const steps = search.candidatesInSteps(`${"straw ".repeat(5_000)} haystacks ${"straw ".repeat(5_000)} needle`);
  let count = 0;
  let found: readonly number[] = [];
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) {
      found = step.value;
      break;
    }
    count++;
    expect(atOnce(search.candidatesInSteps("a needle"))).toEqual([words]);
  }
  expect(new Set(found)).toEqual(new Set([words, pattern.ok ? pattern.value : -1]));
  expect(count).toBeGreaterThan(10);
});
