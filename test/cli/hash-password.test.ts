import { expect, test } from "vitest";
import { createHashPasswordCommand } from "../../src/cli/hash-password.ts";
import { parsePasswordHash, tagOf } from "../../src/filters/basic/password-hash.ts";
import { systemClock } from "../../src/support/clock.ts";

async function run(input: string | Buffer, ...args: string[]) {
  let stdout = "";
  let stderr = "";
  const command = createHashPasswordCommand({
    input: async function* () {
      yield Buffer.from(input);
    },
    random: (bytes) => Buffer.alloc(bytes, 7),
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
  return { code, stdout, stderr };
}

test("A password becomes the line of a users file, which is its argon2id hash", async () => {
  const { code, stdout, stderr } = await run("correct horse battery\n");
  expect([code, stderr]).toEqual([0, ""]);
  const text = /^passwordHash: "(\$argon2id\$v=19\$m=19456,t=2,p=1\$.+)"\n$/.exec(stdout)?.[1] ?? "";
  const hash = parsePasswordHash(text);
  if (hash === null) throw new Error(text);
  expect((await tagOf(hash, Buffer.from("correct horse battery"))).equals(hash.tag)).toBe(true);
  expect(JSON.parse((await run("correct horse battery", "--json")).stdout)).toEqual({ passwordHash: text });
});

test("Short ones come with a warning, and what no client can send is refused", async () => {
  expect((await run("short")).stderr).toContain("is guessed soon");
  for (const input of ["", "\n", "two\nlines\n", Buffer.from([0xff]), "x".repeat(600)]) {
    const { code, stderr, stdout } = await run(input);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("postern hash-password: ");
  }
});

test("A password as an argument is not taken, and not repeated", async () => {
  for (const args of [["hunter2"], ["--hunter2"]]) {
    const { code, stderr } = await run("", ...args);
    expect(code).toBe(2);
    expect(stderr).not.toContain("hunter2");
  }
});
