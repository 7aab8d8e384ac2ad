import { resolve } from "node:path";
import { defineConfig } from "vitest/config";
import { PATIENCE_MS } from "./test/fixtures/patience.ts";

/**
 * Folders whose tests are of functions alone: no process, no socket, nothing that a file leaves behind. Their files share a
 * worker, so that what they import is loaded once and not two hundred times.
 */
const FUNCTIONS = [
  "addresses",
  "attributes",
  "bodies",
  "comparison",
  "detection",
  "expression",
  "filters",
  "inventory",
  "leaks",
  "matching",
  "message",
  "openapi",
  "policy",
  "protobuf",
  "support",
  "tracing",
  "yaml",
].map((folder) => `test/${folder}/**/*.test.ts`);

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: "functions", include: FUNCTIONS, isolate: false } },
      { extends: true, test: { name: "processes", include: ["test/**/*.test.ts"], exclude: FUNCTIONS } },
    ],
    globalSetup: ["test/fixtures/built.ts"],
    setupFiles: ["test/fixtures/setup.ts"],
    testTimeout: 2 * PATIENCE_MS,
    hookTimeout: 2 * PATIENCE_MS,
    // Two cores: more workers than that only make real-socket tests wait for each other.
    maxWorkers: 2,
    // Many tests start a process of the same sources: with their code kept, a start costs 0.7 s of CPU and not 1.1 s.
    env: { NODE_COMPILE_CACHE: resolve(import.meta.dirname, "node_modules/.cache/compile") },
  },
});
