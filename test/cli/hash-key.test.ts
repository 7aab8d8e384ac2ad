import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { EXIT } from "../../src/cli/command.ts";
import { createHashKeyCommand } from "../../src/cli/hash-key.ts";
import { systemClock } from "../../src/support/clock.ts";

const KEY = "pk_0123456789abcdefghijklmnopqrstuvwxyz";
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

async function run(args: readonly string[], input: readonly string[] = []) {
  let stdout = "";
  let stderr = "";
  let chunksRead = 0;
  const command = createHashKeyCommand({
    input: async function* () {
      for (const chunk of input) {
        chunksRead++;
        yield Buffer.from(chunk, "latin1");
      }
    },
    random: (bytes) => Buffer.alloc(bytes, 0xff),
  });
  const code = await command.run(args, {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    cwd: "/",
    clock: systemClock,
  });
  return { code, stdout, stderr, chunksRead };
}

test("A key from standard input becomes its line, and is not printed", async () => {
  const { code, stdout, stderr } = await run([], [KEY.slice(0, 5), `${KEY.slice(5)}\n`]);
  expect(code).toBe(EXIT.fine);
  expect(stdout).toBe(`- { sha256: "${sha256(KEY)}" }\n`);
  expect(stderr).toBe("");
});

test("A line ending is not part of the key", async () => {
  for (const ending of ["", "\n", "\r\n"]) {
    expect((await run(["--json"], [KEY + ending])).stdout).toBe(`{"sha256":"${sha256(KEY)}"}\n`);
  }
});

test("--generate makes a key of 32 random bytes and shows it once", async () => {
  const key = `pk_${"_".repeat(42)}8`;
  const { code, stdout } = await run(["--generate"]);
  expect(code).toBe(EXIT.fine);
  expect(stdout.split("\n")).toContain(key);
  expect(stdout).toContain(`- { sha256: "${sha256(key)}" }`);
  expect(JSON.parse((await run(["--generate", "--json"])).stdout)).toEqual({ key, sha256: sha256(key) });
});

test("A short key is hashed with a warning", async () => {
  const { code, stdout, stderr } = await run([], ["hunter2\n"]);
  expect(code).toBe(EXIT.fine);
  expect(stdout).toContain(sha256("hunter2"));
  expect(stderr).toContain("warning");
  expect(stderr).not.toContain("hunter2");
});

test("A key on the command line is refused and not repeated", async () => {
  for (const args of [[KEY], [`--${KEY}`], [`--generate=${KEY}`]]) {
    const { code, stdout, stderr } = await run(args, []);
    expect(code).toBe(EXIT.misuse);
    expect(stdout + stderr).not.toContain(KEY);
  }
});

test.each([
  ["nothing", ""],
  ["only a line ending", "\n"],
  ["blanks inside", "a b"],
  ["a trailing blank, which a header would lose", `${KEY} `],
  ["two lines", `${KEY}\n${KEY}\n`],
  ["letters beyond ASCII", "schlüssel"],
  ["more than a header may carry", "a".repeat(513)],
])("%s is not a key", async (_, input) => {
  const { code, stdout, stderr } = await run([], [input]);
  expect(code).toBe(EXIT.problems);
  expect(stdout).toBe("");
  expect(stderr).not.toContain(KEY);
});

test("Endless input is not read to its end", async () => {
  const { code, chunksRead } = await run(
    [],
    Array.from({ length: 100 }, () => "a".repeat(100)),
  );
  expect(code).toBe(EXIT.problems);
  expect(chunksRead).toBeLessThan(10);
});
