import { resolve } from "node:path";
import type { TestInputs } from "../daemon/policy-tests.ts";
import { systemTimers } from "../support/timers.ts";
import type { CommandIo } from "./command.ts";
import { policyReader, readDisk } from "./policy-reader.ts";
import { sliceOf } from "./progress.ts";

/** What tests and their files are read and run with, for a command. */
export function testInputs(io: CommandIo, configMap?: string, read = readDisk): TestInputs {
  const { cwd, clock } = io;
  const readFile = policyReader(configMap, read);
  return {
    readFile,
    testNames: (policyFile) => readFile.testNames(resolve(cwd, policyFile)),
    clock,
    timers: systemTimers,
    env: process.env,
    cwd,
    ...sliceOf(io),
  };
}
