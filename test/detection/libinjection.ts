import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Reads texts, each behind its length, and tells of each what libinjection says of SQL and of scripts. */
const PROGRAM = `
#include <stdio.h>
#include <stdlib.h>
extern int libinjection_sqli(const char *text, size_t length, char fingerprint[]);
extern int libinjection_xss(const char *text, size_t length);
int main(void) {
  unsigned char head[4];
  while (fread(head, 1, 4, stdin) == 4) {
    size_t length = head[0] | head[1] << 8 | head[2] << 16 | (size_t)head[3] << 24;
    char *text = malloc(length + 1), fingerprint[16] = {0};
    if (text == NULL || fread(text, 1, length, stdin) != length) return 1;
    text[length] = 0;
    int sqli = libinjection_sqli(text, length, fingerprint) != 0;
    printf("%d%d\\n", sqli, libinjection_xss(text, length) != 0);
    free(text);
  }
  return 0;
}
`;
const LIBRARY = "/usr/lib/x86_64-linux-gnu/libmodsecurity.so.3";

/** What libinjection, as ModSecurity has it in itself, says of byte texts; undefined where it or a C compiler is not installed. */
export function libinjection(texts: readonly string[]): readonly { sqli: boolean; xss: boolean }[] | undefined {
  if (!existsSync(LIBRARY) || !existsSync("/usr/bin/gcc")) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "libinjection-"));
  try {
    const source = join(folder, "ask.c");
    const program = join(folder, "ask");
    writeFileSync(source, PROGRAM);
    execFileSync("gcc", ["-O2", "-o", program, source, LIBRARY]);
    const input = Buffer.concat(texts.flatMap(framed));
    const answers = execFileSync(program, { input, maxBuffer: 1024 ** 3 })
      .toString()
      .trim()
      .split("\n");
    return answers.map((answer) => ({ sqli: answer[0] === "1", xss: answer[1] === "1" }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function framed(text: string): Buffer[] {
  const bytes = Buffer.from(text, "latin1");
  const head = Buffer.alloc(4);
  head.writeUInt32LE(bytes.length);
  return [head, bytes];
}
