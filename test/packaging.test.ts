import { spawn } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { build, writeShared } from "../build.ts";
import description from "../package.json" with { type: "json" };
import { DEFAULTS } from "../src/support/defaults.ts";
import { PATIENCE_MS } from "./fixtures/patience.ts";
import { createTestPki } from "./fixtures/pki.ts";

const ROOT = join(import.meta.dirname, "..");
const text = (name: string) => readFileSync(join(ROOT, name), "utf8");

/** Runs node far from any node_modules and gives what came of it. */
function node(args: readonly string[], env: Readonly<Record<string, string>> = {}, cwd = tmpdir()) {
  return run(process.execPath, args, env, cwd);
}

function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}, cwd = tmpdir()) {
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { PATH: "/usr/bin:/bin", ...env }, timeout: PATIENCE_MS });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

describe("the bundle", () => {
  let folder: string;
  let bundle: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "postern-bundle-"));
    bundle = await build(join(folder, "dist"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("runs where there is no node_modules", async () => {
    expect(readdirSync(join(folder, "dist")).sort()).toEqual([
      "THIRD-PARTY.txt",
      "package.json",
      "parts",
      "postern.js",
    ]);
    const { code, stdout, stderr } = await node([bundle, "--version"], {}, folder);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `postern ${description.version}\n`, stderr: "" });
  });

  test("brings the manual page and what shells complete by", async () => {
    const names = [
      "bash-completion/completions/postern",
      "fish/vendor_completions.d/postern.fish",
      "man/man1/postern.1",
    ];
    const share = join(folder, "share");
    await writeShared(share);
    for (const name of [...names, "zsh/site-functions/_postern"]) {
      expect(readFileSync(join(share, name), "utf8"), name).toContain("audit-log");
    }
    // What the unit's README section copies ends where each shell looks.
    expect(text("README.md")).toContain("cp -r dist/share/. /usr/local/share/");
  });

  test("makes a first policy and finds nothing wrong with it", async () => {
    const init = await node([bundle, "init", "gate"], {}, folder);
    expect(init).toMatchObject({ code: 0, stderr: "" });
    const check = await node([bundle, "check", "gate/policy.yaml"], {}, folder);
    expect(check).toMatchObject({ code: 0, stderr: "" });
  });

  test("can be executed by itself", () => {
    expect(statSync(bundle).mode & 0o111).toBe(0o111);
    expect(readFileSync(bundle, "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  test("runs with a compile cache that it cannot write", async () => {
    const { code, stderr } = await node([bundle, "--version"], { NODE_COMPILE_CACHE: join(bundle, "cache") });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  test("comes with the licence of every package that it may contain", () => {
    const notices = readFileSync(join(folder, "dist/THIRD-PARTY.txt"), "utf8");
    const sources = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".ts"),
    );
    const imports = sources.flatMap((name) => [
      ...text(join("src", name)).matchAll(/^import (?!type).*"((?:@[a-z0-9-]+\/)?[a-z][a-z0-9.-]*)(?:\/[^"]*)?";/gm),
    ]);
    const names = [...new Set(imports.map((match) => match[1] ?? ""))];
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) expect(notices).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(`, "m"));
  });

  test("goes out alone; what package.json offers as the command is the checkout's", () => {
    expect(description.files).toContain("dist");
    expect(statSync(join(ROOT, description.bin.postern)).mode & 0o111).toBe(0o111);
  });

  test("is what that command runs where the sources are not", async () => {
    const command = join(folder, description.bin.postern);
    mkdirSync(dirname(command));
    copyFileSync(join(ROOT, description.bin.postern), command);
    const { code, stdout, stderr } = await node([command, "--version"], {}, folder);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `postern ${description.version}\n`, stderr: "" });
  });
});

describe("the container", () => {
  const dockerfile = text("Dockerfile");

  test("runs the same Node as the tests", () => {
    expect(/^ARG NODE_VERSION=(.+)$/m.exec(dockerfile)?.[1]).toBe(description.devDependencies.node);
  });

  test("is the Node that the page tells to install on a VM", () => {
    const versions = [...text("docs/operating.md").matchAll(/v(26\.\d+\.\d+)/g)].map((match) => match[1]);
    expect(new Set(versions)).toEqual(new Set([description.devDependencies.node]));
  });

  test("copies only files that exist and that .dockerignore lets in", () => {
    const allowed = text(".dockerignore").split("\n");
    const copies = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
      (match) => match[1]?.split(" ") ?? [],
    );
    expect(copies.length).toBeGreaterThan(3);
    for (const name of copies) {
      expect(existsSync(join(ROOT, name)), name).toBe(true);
      expect(allowed).toContain(`!${name}`);
    }
  });

  test("runs under a number that is not root, and ends by SIGTERM", () => {
    expect(/^USER (.+)$/m.exec(dockerfile)?.[1]).toMatch(/^[1-9]\d{4}:[1-9]\d{4}$/);
    expect(dockerfile).toMatch(/^STOPSIGNAL SIGTERM$/m);
  });

  test.each([
    [200, 0],
    [503, 1],
  ])("its health check takes /readyz with %i for exit code %i", async (status, exitCode) => {
    const [program = "", ...args] = healthCheck(dockerfile);
    const paths: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      paths.push(request.url);
      response.writeHead(status).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const { code } = await run(program, args, { POSTERN_ADMIN_PORT: String(port) });
    server.close();
    expect(code).toBe(exitCode);
    expect(paths).toEqual(["/readyz"]);
    // Nobody listens any more.
    expect((await run(program, args, { POSTERN_ADMIN_PORT: String(port) })).code).toBe(1);
    // A start of Node would cost twenty times as much.
    expect(program).toBe("bash");
  });
});

function healthCheck(dockerfile: string): string[] {
  return JSON.parse(/^HEALTHCHECK .* CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? "[]");
}

describe("the systemd unit", () => {
  const unit = new Set(text("deploy/systemd/postern.service").split("\n"));

  test.each([
    "User=postern",
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "PrivateUsers=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelLogs=yes",
    "ProtectControlGroups=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces=yes",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "LimitCORE=0",
    "ExecReload=/bin/kill -HUP $MAINPID",
    "Restart=always",
    "TimeoutStopSec=30",
  ])("sets %s", (line) => {
    expect(unit).toContain(line);
  });

  // 'check' refuses an expired certificate, with which a start has to go on.
  test("starts without asking 'check' first", () => {
    expect([...unit].filter((line) => line.startsWith("ExecStartPre"))).toEqual([]);
  });
});

describe("the Kubernetes example", () => {
  const documents = parseAllDocuments(text("deploy/kubernetes/sidecar.yaml"));

  test("is valid YAML with a policy, a deployment, a service and a network policy", () => {
    expect(documents.flatMap((document) => document.errors)).toEqual([]);
    expect(documents.map((document) => document.get("kind"))).toEqual([
      "ConfigMap",
      "Deployment",
      "Service",
      "NetworkPolicy",
    ]);
  });

  test("holds a policy that has no problem", async () => {
    const folder = mkdtempSync(join(tmpdir(), "postern-kubernetes-"));
    try {
      const pki = await createTestPki();
      const policy = String(documents[0]?.getIn(["data", "policy.yaml"])).replaceAll("/etc/postern-tls", folder);
      writeFileSync(join(folder, "policy.yaml"), policy);
      writeFileSync(join(folder, "tls.crt"), pki.server.certificate);
      writeFileSync(join(folder, "tls.key"), pki.server.key, { mode: 0o600 });
      writeFileSync(join(folder, "ca.crt"), pki.ca.certificate);
      const { code, stdout } = await node([join(ROOT, "src/main.ts"), "check", "policy.yaml"], {}, folder);
      expect({ code, stdout }).toEqual({ code: 0, stdout: "policy.yaml: no problems\n" });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  const pod = documents[1]?.toJS().spec.template.spec;
  const [postern] = pod.initContainers;
  const policy = parse(String(documents[0]?.getIn(["data", "policy.yaml"])));
  const portOf = (address: string): number => Number(address.split(":").at(-1));

  test("gives postern longer to end than the service pauses and postern drains", () => {
    const pause = pod.containers[0].lifecycle.preStop.sleep.seconds;
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(pause + DEFAULTS.drainTimeoutMs / 1000);
  });

  test("names the ports of its policy, and admin is on loopback", () => {
    expect(postern.ports).toEqual([
      { name: "https", containerPort: portOf(policy.listeners[0].address) },
      { name: "probes", containerPort: portOf(policy.admin.probes) },
    ]);
    expect(policy.admin.address).toMatch(/^127\.0\.0\.1:/);
    expect(policy.upstreams.app.address).toContain(pod.containers[0].env[0].value);
  });

  test("asks by HTTP whether postern starts, serves and lives: no probe starts a process", () => {
    const probe = (path: string) => expect.objectContaining({ httpGet: { path, port: "probes" } });
    expect(postern.startupProbe).toEqual(probe("/readyz"));
    expect(postern.readinessProbe).toEqual(probe("/readyz"));
    expect(postern.livenessProbe).toEqual(probe("/livez"));
    expect(text("deploy/kubernetes/sidecar.yaml")).not.toContain("exec:");
  });

  test("lets other pods reach the service's port alone", () => {
    const { spec } = documents[3]?.toJS() ?? {};
    expect(spec.podSelector.matchLabels).toEqual(documents[1]?.toJS().spec.template.metadata.labels);
    expect(spec.ingress).toEqual([{ ports: [{ protocol: "TCP", port: "https" }] }]);
    expect(documents[2]?.toJS().spec.ports[0].targetPort).toBe("https");
  });
});

test(".ci/run is executable", () => {
  expect(statSync(join(ROOT, ".ci/run")).mode & 0o111).toBe(0o111);
});
