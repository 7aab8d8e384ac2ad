import type { TestInputs } from "../daemon/policy-tests.ts";
import { readNamed } from "../daemon/regular-file.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { systemTimers } from "../support/timers.ts";
import type { CommandIo } from "./command.ts";

/** What tests and their files are read and run with, for a command. */
export function testInputs({ cwd, clock }: CommandIo): TestInputs {
  return {
    readFile: (absolute) => readNamed(absolute, DEFAULTS.addressBytesMax),
    clock,
    timers: systemTimers,
    env: process.env,
    cwd,
  };
}
