// Goal: the schema gives an editor completion, meaning and faults, as docs/editors.md says, by the server that editors use.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { TextDocument } from "vscode-languageserver-textdocument";
import { getLanguageService } from "yaml-language-server";

const ROOT = resolve(import.meta.dirname, "..");
const FOLDER = pathToFileURL(`${ROOT}/policies/`).href;
const page = await readFile(`${ROOT}/docs/editors.md`, "utf8");
const example = await readFile(`${ROOT}/policies/example.yaml`, "utf8");

const swallowed: unknown[] = [];
afterEach(() => expect(swallowed).toEqual([]));

const editor = getLanguageService({
  schemaRequestService: (uri) => readFile(fileURLToPath(uri), "utf8"),
  // What goes wrong in it, it swallows.
  telemetry: { send: () => {}, sendError: (_, error) => void swallowed.push(error), sendTrack: () => {} },
  workspaceContext: { resolveRelativePath: (path, from) => new URL(path, from).href },
});
editor.configure({ validate: true, hover: true, completion: true, schemas: [] });

let versions = 0;

/** A file beside the schema. The server keeps what it read by name and version. */
function fileOf(text: string): TextDocument {
  return TextDocument.create(`${FOLDER}policy.yaml`, "yaml", ++versions, text);
}

/** The same; `|` in the text is where the cursor stands. */
function cursorIn(text: string) {
  const at = text.indexOf("|");
  const document = fileOf(text.replace("|", ""));
  return { document, position: document.positionAt(at) };
}

const HEAD = "# yaml-language-server: $schema=policy.schema.json\nversion: 1\nservice: orders\n";

async function faultsOf(text: string): Promise<readonly string[]> {
  const found = await editor.doValidation(fileOf(text), false);
  return found.map(({ range, message }) => `${range.start.line + 1}:${range.start.character + 1}: ${message}`);
}

async function proposed(text: string): Promise<readonly string[]> {
  const { document, position } = cursorIn(text);
  const { items } = await editor.doComplete(document, position, false);
  return items.map(({ label }) => label);
}

async function meaning(text: string): Promise<string> {
  const { document, position } = cursorIn(text);
  const hover = await editor.doHover(document, position);
  return JSON.stringify(hover?.contents ?? "");
}

describe("yaml-language-server", () => {
  test("completes the reasons that a policy's tests expect", async () => {
    const labels = await proposed(`${HEAD}tests:\n  - name: a\n    expect:\n      deny: scope_|\n`);
    expect(labels).toContain("scope_missing");
    expect(labels).toContain("handshake");
  });

  test("has nothing against the example of everything that a policy can say", async () => {
    expect(await faultsOf(example)).toEqual([]);
  });

  test("underlines what the page says", async () => {
    const policy = /In this policy[\s\S]*?```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
    const shown = /underlines:\n\n```\n([\s\S]*?)\n```/.exec(page)?.[1] ?? "";
    expect((await faultsOf(policy)).join("\n")).toBe(shown);
  });

  test("completes keys at the top, of a listener, of a route and of an authenticator, and values", async () => {
    expect(await proposed(`${HEAD}rou|`)).toContain("routes");
    expect(await proposed(`${HEAD}listeners:\n  - name: a\n    head|`)).toContain("headTimeout");
    expect(await proposed(`${HEAD}routes:\n  - path: /a\n    authen|`)).toContain("authenticate");
    expect(await proposed(`${HEAD}authenticators:\n  okta:\n    type: jwt\n    iss|`)).toContain("issuer");
    expect(await proposed(`${HEAD}log:\n  access: |`)).toContain("denied");
  });

  test("tells what a key means, nested ones too", async () => {
    expect(await meaning(`${HEAD}rou|tes:\n  - path: /a\n    public: true\n`)).toContain("What may be asked for");
    expect(await meaning(`${HEAD}routes:\n  - path: /a\n    pub|lic: true\n`)).toContain("Nobody has to authenticate.");
    expect(await meaning(`${HEAD}routes:\n  - path: /a\n    validate:\n      bo|dy: { maxBytes: 1KiB }\n`)).toContain(
      "body",
    );
  });
});

test("every key of the schema has a description, or that of what it refers to", async () => {
  const schema = JSON.parse(await readFile(`${ROOT}/policies/policy.schema.json`, "utf8"));
  let keys = 0;
  const silent: string[] = [];
  const resolved = (node: Node): Node => {
    const name = typeof node["$ref"] === "string" ? node["$ref"].split("/").at(-1) : undefined;
    return name === undefined || "description" in node ? node : resolved(schema.$defs[name]);
  };
  const walk = (node: unknown, path: string, isMap: boolean): void => {
    if (typeof node !== "object" || node === null) return;
    for (const [key, inner] of Object.entries(node)) {
      const at = `${path}/${key}`;
      if (isMap) {
        keys++;
        if (String(resolved(inner)["description"] ?? "") === "") silent.push(at);
      }
      walk(inner, at, !isMap && key === "properties");
    }
  };
  walk(schema, "", false);
  expect(silent).toEqual([]);
  expect(keys).toBeGreaterThan(1_000);
});

type Node = Readonly<Record<string, unknown>>;
