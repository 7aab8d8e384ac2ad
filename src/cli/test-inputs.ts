import type { TestInputs } from "../daemon/policy-tests.ts";
import { systemTimers } from "../support/timers.ts";
import type { CommandIo } from "./command.ts";
import { policyReader, readDisk } from "./policy-reader.ts";

/** What tests and their files are read and run with, for a command. */
export function testInputs({ cwd, clock }: CommandIo, configMap?: string, read = readDisk): TestInputs {
  return {
    readFile: policyReader(configMap, read),
    clock,
    timers: systemTimers,
    env: process.env,
    cwd,
  };
}
