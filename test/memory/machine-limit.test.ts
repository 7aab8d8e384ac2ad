import { expect, test } from "vitest";
import { machineLimit } from "../../src/memory/machine-limit.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";

const MIB = 1024 * 1024;
const NO_LIMIT = "9223372036854771712\n"; // what version 1 says for none

function limitOf(files: Readonly<Record<string, string>>, totalMib = 16 * 1024) {
  const { bytes, isGranted } = machineLimit({ readText: (file) => files[file] ?? null, totalBytes: totalMib * MIB });
  return [bytes / MIB, isGranted];
}

test("version 2: the lowest limit of the group and those above it", () => {
  const files = {
    "/proc/self/cgroup": "0::/system.slice/postern.service\n",
    "/sys/fs/cgroup/system.slice/postern.service/memory.max": "max\n",
    "/sys/fs/cgroup/system.slice/memory.max": `${512 * MIB}\n`,
  };
  expect(limitOf(files)).toEqual([512, true]);
  expect(limitOf({ ...files, "/sys/fs/cgroup/system.slice/postern.service/memory.max": `${256 * MIB}\n` })).toEqual([
    256,
    true,
  ]);
});

test("in a container, whose own group is the root of what it sees", () => {
  const files = { "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": `${256 * MIB}\n` };
  expect(limitOf(files)).toEqual([256, true]);
  expect(limitOf({ ...files, "/proc/self/cgroup": "0::/../pod42/container7\n" })).toEqual([256, true]);
});

test("version 1, alone and beside version 2", () => {
  const files = {
    "/proc/self/cgroup": "9:name=systemd:/\n4:cpu,memory:/docker/abc\n0::/\n",
    "/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": `${300 * MIB}\n`,
    "/sys/fs/cgroup/memory/memory.limit_in_bytes": NO_LIMIT,
  };
  expect(limitOf(files)).toEqual([300, true]);
  const mounted = { ...files, "/sys/fs/cgroup/memory/memory.limit_in_bytes": `${200 * MIB}\n` };
  expect(limitOf(mounted)).toEqual([200, true]);
});

test("without a limit: a fixed amount, or half of a small machine", () => {
  const none = { "/proc/self/cgroup": "4:memory:/\n", "/sys/fs/cgroup/memory/memory.limit_in_bytes": NO_LIMIT };
  const most = DEFAULTS.memoryUnlimitedBytes / MIB;
  for (const files of [none, {}, { "/proc/self/cgroup": "nonsense" }]) {
    expect(limitOf(files)).toEqual([most, false]);
    expect(limitOf(files, 1024)).toEqual([512, false]);
  }
});

test("what is no number is no limit", () => {
  const files = { "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "\n" };
  expect(limitOf(files)[1]).toBe(false);
});
