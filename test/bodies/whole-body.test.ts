// Goal: a long body that is here whole names to postern what it names to a service, and never holds the thread for long.
import { describe, expect, test } from "vitest";
import { methodBodyOf } from "../../src/bodies/method-body.ts";
import { METHOD_PARAMETERS, MethodParameters } from "../../src/bodies/method-parameters.ts";
import { methodsAtOnce, methodsInSteps } from "../../src/bodies/whole-body.ts";
import { HeaderBlock } from "../../src/message/headers.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";

const parameters = new MethodParameters(METHOD_PARAMETERS);
const MIB = 1024 * 1024;

function bodyOf(type: string) {
  const read = methodBodyOf("POST", new HeaderBlock(["content-type"], [type]));
  if (!read.ok || read.value === null) throw new Error(`${type} is not looked into`);
  return read.value;
}

/** Methods found, steps taken, and the CPU time of the longest of them in milliseconds. */
function scan(type: string, text: string) {
  const steps = methodsInSteps(bodyOf(type), parameters, Buffer.from(text));
  let [count, longestMs] = [0, 0];
  for (;;) {
    const before = process.threadCpuUsage();
    const step = steps.next();
    const { user, system } = process.threadCpuUsage(before);
    count++;
    longestMs = Math.max(longestMs, (user + system) / 1_000);
    if (step.done === true) return { methods: step.value, count, longestMs };
  }
}

const NAMES = `{"\\u0061":1,${'"a":1,'.repeat(MIB / 6)}"b":1`;

describe("a body of a megabyte", () => {
  test.each([
    ["application/json", `${NAMES},"_method":"POST","_method":"DELETE"}`],
    ["application/x-www-form-urlencoded", `${"a=1&".repeat(MIB / 4)}_method=POST&_method=DELETE`],
    [
      "multipart/form-data; boundary=b",
      ["POST", "DELETE"]
        .map((value) => `--b\r\nContent-Disposition: form-data; name="_method"\r\n\r\n${value}\r\n`)
        .join(`--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n${"x".repeat(MIB)}\r\n`),
    ],
  ])("of %s is read in steps, all of it", (type, text) => {
    const { methods, count } = scan(type, `${text}`);
    expect(count).toBeGreaterThan(MIB / DEFAULTS.bodyAtOnceBytesMax);
    expect(new Set(methods)).toEqual(new Set(methodsAtOnce(bodyOf(type), parameters, Buffer.from(text))));
    expect(methods).toContain("DELETE");
  });

  test("of JSON without a trace of a name is not read at all", () => {
    const text = `{${'"a":1,'.repeat(MIB / 7)}"b":1}`;
    expect(scan("application/json", text)).toMatchObject({ methods: [], count: 1 });
    expect(scan("application/json", text.repeat(3)).count).toBe(3);
  });

  test("of names that have to be read holds the thread for a few milliseconds a step", () => {
    scan("application/json", `${NAMES}}`);
    const tries = [1, 2, 3].map(() => scan("application/json", `${NAMES}}`).longestMs);
    expect(Math.min(...tries)).toBeLessThan(10);
  });
});

test("a trace that two steps cut is seen", () => {
  const at = 32 * DEFAULTS.bodyAtOnceBytesMax;
  for (const cut of [1, 4, 8]) {
    const head = `{"a":"${"x".repeat(at - 8 - cut)}",`;
    expect(scan("application/json", `${head}"_method":"DELETE"}`).methods).toEqual(["DELETE"]);
  }
});
