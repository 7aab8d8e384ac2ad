import { resolve } from "node:path";
import { defineConfig } from "vitest/config";
import { PATIENCE_MS } from "./test/fixtures/patience.ts";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
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
