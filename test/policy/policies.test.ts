import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { policyJsonSchema, policyJsonSchemaText } from "../../src/policy/json-schema.ts";
import { createTestPki } from "../fixtures/pki.ts";
import { createTokenMint } from "../fixtures/tokens.ts";
import { examine, type Files, NOW_MS } from "./policy-kit.ts";

const FOLDER = resolve(import.meta.dirname, "../../policies");
const POLICIES = readdirSync(FOLDER).filter((name) => name.endsWith(".yaml"));
const read = (name: string): string => readFileSync(resolve(FOLDER, name), "utf8");
