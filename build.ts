/**
 * Bundles the product to `dist/postern.js` and the parts that it loads, which need Node and nothing else, with the
 * licences of what went in beside them. What is imported when it is first needed is a part of its own: Node keeps the source
 * of all that it reads, and one file of everything cost 8 MiB and 20 ms of each start. Names stay as they are, so that a stack
 * trace can be read; comments and blanks go.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { build as bundle, type Plugin } from "esbuild";
import description from "./package.json" with { type: "json" };

const ROOT = import.meta.dirname;
const LICENCE_FILE = /^(?:licen[cs]e|notice|copying)/i;

/**
 * Node's own modules are fetched where they are first needed, and of their exports only those that somebody names are read.
 * An import of Node's reads all of them, as does esbuild's copy of a module for a `require` that is imported; and many are
 * made when they are read: node:http makes an HTTP client and a WebSocket, 14 ms that no command needs.
 */
const lazyBuiltins: Plugin = {
  name: "lazy-builtins",
  setup(builder) {
    builder.onResolve({ filter: /^(?:node:)?[a-z_0-9]+(?:\/[a-z]+)*$/ }, ({ path, kind }) => {
      if (!isBuiltin(path)) return undefined;
      if (kind === "dynamic-import") return { path, external: true };
      return { path, namespace: kind === "require-call" ? "required-builtin" : "imported-builtin" };
    });
    builder.onLoad({ filter: /.*/, namespace: "required-builtin" }, ({ path }) => ({
      contents: `module.exports = ${fetchBuiltin(path)};`,
    }));
    builder.onLoad({ filter: /.*/, namespace: "imported-builtin" }, ({ path }) => ({ contents: builtinExports(path) }));
  },
};

function fetchBuiltin(path: string): string {
  return `process.getBuiltinModule(${JSON.stringify(path)})`;
}

/** Node has none of these at its start, and most policies need none of them: they come with the first call. */
const LATE = new Set(["node:fs/promises", "node:dns", "node:tty"]);

/** Marked as pure, exports that nobody imports are left out. */
function builtinExports(path: string): string {
  const builtin = Object.fromEntries(Object.entries(process.getBuiltinModule(path) ?? {}));
  const names = Object.keys(builtin).filter((name) => name !== "default" && /^\w+$/.test(name));
  const isLate = (name: string): boolean =>
    LATE.has(path) && typeof builtin[name] === "function" && /^[a-z]/.test(name);
  const lines = names.map((name) =>
    isLate(name)
      ? `const export_${name} = (...values) => ${fetchBuiltin(path)}.${name}(...values);`
      : `const export_${name} = /* @__PURE__ */ (() => builtin.${name})();`,
  );
  const list = names.map((name) => `export_${name} as ${name}`).join(", ");
  return `const builtin = /* @__PURE__ */ ${fetchBuiltin(path)};\nexport default builtin;\n${lines.join("\n")}\nexport { ${list} };`;
}

/** zod brings its messages in fifty languages; ours are English. */
const oneLocale: Plugin = {
  name: "one-locale",
  setup(builder) {
    builder.onLoad({ filter: /zod[/\\]v4[/\\]locales[/\\]index\.js$/ }, () => ({
      contents: 'export { default as en } from "./en.js";',
    }));
  },
};

/** yaml's own modules as they are, of which the bundle takes what is used; what it gives Node are copies in CommonJS. */
const yamlModules: Plugin = {
  name: "yaml-modules",
  setup(builder) {
    builder.onResolve({ filter: /^yaml$/ }, () => ({
      path: join(ROOT, "node_modules/yaml/browser/dist/index.js"),
      sideEffects: false,
    }));
  },
};

/** What `run` starts with, whatever the policy; and what policies load first that ask anything of clients. */
const START = join(ROOT, "src/cli/run.ts");
const CALLERS = join(ROOT, "src/filters/callers.ts");

/** What a thread of its own runs: it loads no more than it needs. */
const THREAD = /[/]book-(?:worker|file)\.ts$/;

/**
 * esbuild makes a file of all that the same parts need, so that what the start needs came in 40 files, and a file costs
 * Node up to a millisecond. Here each part needs what the start needs, which it always finds loaded: one file. Protections
 * and commands stand on what nearly all policies load in the same way.
 */
const standsOnCallers = (path: string): boolean =>
  /^src[/\\](?:filters|policy|cli)[/\\]/.test(relative(ROOT, path)) && path !== CALLERS;

const oneStart: Plugin = {
  name: "one-start",
  setup(builder) {
    builder.onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ path, kind, resolveDir }) => {
      if (kind !== "dynamic-import" || THREAD.test(path)) return undefined;
      return { path: resolve(resolveDir, path), namespace: "part" };
    });
    builder.onLoad({ filter: /.*/, namespace: "part" }, ({ path }) => {
      const loaded = standsOnCallers(path) ? [START, CALLERS] : [START];
      const imports = loaded.map((one) => `import ${JSON.stringify(one)};\n`).join("");
      return { contents: `${imports}export * from ${JSON.stringify(path)};`, resolveDir: ROOT };
    });
  },
};

/** An older Node would read the bundle, do nothing and say that all is well. */
const BANNER = `if (Number(process.versions.node.split(".")[0]) < 26) {
  console.error("postern needs Node 26 or later; this is " + process.version);
  process.exit(2);
}`;

/** Writes `postern.js`, `parts/`, `package.json` and `THIRD-PARTY.txt` into `folder`, which is emptied first; gives the entry's file name. */
export async function build(folder: string): Promise<string> {
  const outdir = resolve(folder);
  const entry = join(outdir, "postern.js");
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(join(outdir, "parts"), { recursive: true });
  const result = await bundle({
    absWorkingDir: ROOT,
    entryPoints: { postern: "src/main.ts" },
    outdir,
    bundle: true,
    splitting: true,
    chunkNames: "parts/[name]-[hash]",
    platform: "node",
    target: "node26",
    format: "esm",
    banner: { js: BANNER },
    plugins: [oneStart, lazyBuiltins, oneLocale, yamlModules],
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none", // THIRD-PARTY.txt has the licences whole
    metafile: true,
    write: false,
    logLevel: "warning",
  });
  for (const { path, text } of result.outputFiles) {
    writeFileSync(path, asciiOnly(text), { mode: path === entry ? 0o755 : 0o644 });
  }
  // Without it Node reads each part twice, to find out what kind of module it is.
  writeFileSync(join(outdir, "package.json"), '{ "type": "module" }\n');
  writeFileSync(join(outdir, "THIRD-PARTY.txt"), notices(packageFolders(Object.keys(result.metafile.inputs))));
  return entry;
}

/** Writes the manual page and what shells complete by into `share`, in the folders where Linux looks for them below /usr/local/share. */
export async function writeShared(share: string): Promise<void> {
  // All commands are loaded for it; who only bundles needs none of them.
  const { allCommands } = await import("./src/main.ts");
  const { COMPLETIONS } = await import("./src/cli/completion.ts");
  const { manPage } = await import("./src/cli/man.ts");
  const commands = await allCommands();
  const files = {
    "man/man1/postern.1": manPage(commands, description),
    "bash-completion/completions/postern": COMPLETIONS.bash(commands),
    "zsh/site-functions/_postern": COMPLETIONS.zsh(commands),
    "fish/vendor_completions.d/postern.fish": COMPLETIONS.fish(commands),
  };
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(share, name)), { recursive: true });
    writeFileSync(join(share, name), content);
  }
}

/** One character beyond Latin-1 anywhere makes V8 keep two bytes for each; esbuild leaves those in regular expressions. */
function asciiOnly(code: string): string {
  return code.replace(/[^\x00-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Folders of the packages that bundled files come from, as `node_modules/ajv`. */
function packageFolders(inputs: readonly string[]): string[] {
  const folders = new Set<string>();
  for (const input of inputs) {
    const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0];
    if (folder !== undefined) folders.add(folder);
  }
  return [...folders].sort();
}

function notices(folders: readonly string[]): string {
  const parts = folders.map((folder) => {
    const about: { name: string; version: string; license?: string } = JSON.parse(
      readFileSync(join(ROOT, folder, "package.json"), "utf8"),
    );
    const texts = readdirSync(join(ROOT, folder))
      .filter((name) => LICENCE_FILE.test(name))
      .map((name) => readFileSync(join(ROOT, folder, name), "utf8").trim());
    if (about.license === undefined && texts.length === 0) throw new Error(`${folder} states no licence`);
    return [`${about.name} ${about.version} (${about.license ?? "see below"})`, ...texts].join("\n\n");
  });
  const rule = `\n\n${"-".repeat(80)}\n\n`;
  return `postern contains the following packages.${rule}${parts.join(rule)}\n`;
}

if (import.meta.main) {
  if (!existsSync(join(ROOT, "node_modules"))) throw new Error("run 'npm ci' first");
  await build(join(ROOT, "dist"));
  await writeShared(join(ROOT, "dist/share"));
}
