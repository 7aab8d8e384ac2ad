import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Command } from "./processes.ts";
import type { Workload } from "./workloads.ts";
import type { World } from "./world.ts";

export interface Ports {
  /** Where the contestant listens on 127.0.0.1. */
  readonly proxy: number;
  readonly origin: number;
}

/** In the folder of each process: what it says on standard output and error. */
export const OUTPUT_FILE = "output.log";

/** A proxy that takes part. */
export interface Contestant {
  readonly name: string;
  /** Null where it can run here, else why not. */
  missing(): string | null;
  supports(workload: Workload): boolean;
  /** Writes its configuration for a workload into `folder` and says how to start it. */
  configure(workload: Workload, world: World, ports: Ports, folder: string): Command;
  /** How it refuses a client without certificate: in the handshake, or with an answer of its own. */
  readonly refusesWithoutCertificate: "handshake" | 400;
  /** Whether it holds posted bodies against their schema. */
  readonly validates: boolean;
  /** Name of the file in its folder that gets the access log of a workload that has one. */
  readonly accessLog: string;
}

/** Absolute name of a program on PATH or where distributions put daemons; null where there is none. */
export function findProgram(name: string): string | null {
  const { PATH = "" } = process.env;
  const folders = [...PATH.split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  for (const folder of folders) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // not here
    }
  }
  return null;
}
