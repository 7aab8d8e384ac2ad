import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { ACCOUNT_NAMES, MemoryBudget } from "../../src/memory/budget.ts";
import type { Holder } from "../../src/memory/yielding-account.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";

const MIB = 1024 * 1024;
const text = (file: string): string => readFileSync(resolve(import.meta.dirname, "../..", file), "utf8");

/** What the shipped files grant, in MiB, and how many TLS connections the page of limits says fit. */
const GRANTS = [
  ["deploy/kubernetes/sidecar.yaml", /limits: \{ memory: (\d+)Mi \}/, 900],
  ["deploy/systemd/postern.service", /^MemoryMax=(\d+)M$/m, 2_700],
] as const;

/** A connection at rest, which goes when it is asked to. */
function rested(address: number, closed: Set<Holder>): Holder {
  const holder: Holder = {
    client: { key: address, isMany: false },
    giveWay: () => {
      closed.add(holder);
      return true;
    },
  };
  return holder;
}

describe.each(GRANTS)("%s", (file, pattern, fits) => {
  const granted = Number(pattern.exec(text(file))?.[1]) * MIB;
  const budget = (): MemoryBudget => new MemoryBudget({ bytes: granted, isGranted: true });

  test("grants what the process is by itself and all accounts together", () => {
    const { memoryReservedBytes } = DEFAULTS;
    const memory = budget();
    const accounts = ACCOUNT_NAMES.reduce((bytes, name) => bytes + memory[name].bytesMax, 0);
    expect(memoryReservedBytes + accounts).toBeLessThanOrEqual(granted);
  });

  test("bounds connections at rest by its memory, where 'maxConnections' as it comes would let in more", () => {
    const { connections } = budget();
    const { memoryTlsConnectionBytes: each, connectionsMax } = DEFAULTS;
    expect(connectionsMax * each).toBeGreaterThan(connections.bytesMax);
    const closed = new Set<Holder>();
    // A crowd of which nobody has more than a share.
    for (let at = 0; at < connectionsMax; at++) {
      expect(connections.enter(rested(at % 500, closed), each)).toBe(true);
      expect(connections.heldBytes).toBeLessThanOrEqual(connections.bytesMax);
    }
    const open = connectionsMax - closed.size;
    expect(Math.floor(open / 100) * 100).toBe(fits);
    expect(text("docs/limits.md").replaceAll(",", "")).toContain(`${fits}`);
  });
});
