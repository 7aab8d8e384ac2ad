// Goal: a comment with a reason silences the one warning it stands at, and a comment that does nothing is told.
import { describe, expect, test } from "vitest";
import { PUBLIC_ROUTE, policyWith } from "../policy-kit.ts";
import { examineLint } from "./kit.ts";

const UNUSED = "limits: { a: { rate: 5/second, key: client.address, scope: policy } }";

async function found(text: string, files = {}) {
  const { warnings, silenced } = await examineLint(text, files);
  return {
    rules: warnings
      .filter(({ rule }) => rule !== "route_without_limit" && rule !== "client_address_shared")
      .map(({ rule, place }) => `${rule}:${place.line}`),
    silenced: silenced.map(({ warning, because }) => `${warning.rule} ${because}`),
  };
}

describe("# postern: allow", () => {
  test.each([
    ["above the entry", `# postern: allow unused_definition because the next release has it\n${UNUSED}`],
    [
      "above it, with other comments between",
      `# postern: allow unused_definition because the next release has it\n# so it is\n\n${UNUSED}`,
    ],
    ["on its line", `${UNUSED} # postern: allow unused_definition because the next release has it`],
  ])("silences a warning %s", async (_, limits) => {
    expect(await found(policyWith(`${limits}\n${PUBLIC_ROUTE}`))).toEqual({
      rules: [],
      silenced: ["unused_definition the next release has it"],
    });
  });

  test("silences one line, not the next", async () => {
    const two = `limits:
  a: { rate: 5/second, key: principal } # postern: allow unused_definition because of tomorrow
  b: { rate: 5/second, key: principal }`;
    expect((await found(policyWith(`${two}\n${PUBLIC_ROUTE}`))).rules).toEqual(["unused_definition:8"]);
  });

  test("without a reason, or with another name, silences nothing and is told", async () => {
    const text = policyWith(`limits:
  a: { rate: 5/second, key: principal } # postern: allow unused_definition
  b: { rate: 5/second, key: principal } # postern: allow unused_definitoin because of tomorrow
${PUBLIC_ROUTE} # postern: allow in_the_clear because it is`);
    const { warnings } = await examineLint(text);
    const told = warnings.filter(({ rule }) => rule.startsWith("allow"));
    expect(told.map(({ place, text: said }) => `${place.line}:${place.column} ${said}`)).toEqual([
      "7:41 it says no reason; expected '# postern: allow unused_definition because …'",
      "8:41 there is no rule 'unused_definitoin'; did you mean 'unused_definition'?",
      "9:37 nothing here for 'in_the_clear' to be silent about",
    ]);
    expect((await found(text)).rules).toContain("unused_definition:7");
  });

  test("is no comment within a text", async () => {
    const route = `routes:
  - path: /
    public: true
    respond: { status: 200, text: "# postern: allow unused_definition because it is a text" }
  - path: /b
    public: true
    respond:
      status: 200
      text: |
        # postern: allow unused_definition because it is a text`;
    expect((await found(policyWith(route))).rules).toEqual([]);
  });

  test("works in a list that the policy names", async () => {
    const text = policyWith(`defaults: { address: { denyFile: list.txt } }\n${PUBLIC_ROUTE}`);
    const list = "192.0.2.1\n192.0.2.7\nno # postern: allow entry_left_out because it is an example\n";
    expect(await found(text, { "list.txt": list })).toEqual({
      rules: [],
      silenced: ["entry_left_out it is an example"],
    });
  });

  test("of a policy that only runs silences as well, and tells nothing of itself", async () => {
    const text = policyWith(`# postern: allow unused_definition because of tomorrow\n${UNUSED}
${PUBLIC_ROUTE} # postern: allow in_the_clear because it is`);
    const { warnings } = await examineLint(text, {}, { lint: undefined });
    expect(warnings.filter(({ rule }) => rule !== "client_address_shared")).toEqual([]);
  });
});
