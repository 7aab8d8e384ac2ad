// Goal: a manifest of Kubernetes can be given in place of the policy that it holds, and each place is one of the manifest.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { folderWith } from "../rehearsal/kit.ts";

const deployed = readFileSync(resolve(import.meta.dirname, "../../deploy/kubernetes/sidecar.yaml"), "utf8");
const digest = createHash("sha256").update("pk_0123456789abcdef0123456789").digest("hex");

const policy = (rest = "") => `    version: 1
    service: orders
    listeners: [{ name: inbound, address: "127.0.0.1:8080", upstream: app }]
    upstreams: { app: { address: "http://127.0.0.1:3000" } }
    authenticators: { keys: { type: api-key, header: X-Api-Key, keys: ../secrets/keys.yaml } }
    routes:
      - { path: /a, methods: [GET], authenticate: [keys]${rest} }
    tests:
      - { name: nobody, request: { method: GET, path: /a }, expect: { deny: credentials_missing } }`;
const configMap = (name: string, text: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata:\n  policy.yaml: |\n${text}\n`;
const pod = `---
apiVersion: v1
kind: Pod
spec:
  containers:
    - name: postern
      volumeMounts:
        - { name: policy, mountPath: /etc/postern/conf }
        - { name: keys, mountPath: /etc/postern/secrets }
  volumes:
    - { name: policy, configMap: { name: orders } }
    - { name: keys, secret: { secretName: keys } }
`;
const secret = (keys: string) =>
  `---\napiVersion: v1\nkind: Secret\nmetadata: { name: keys }\ndata: { keys.yaml: ${Buffer.from(keys).toString("base64")} }\n`;
const KEYS = `callers: [{ name: acme, keys: [{ sha256: "${digest}" }] }]`;
const whole = configMap("orders", policy()) + secret(KEYS) + pod;

describe("a manifest in place of a policy", () => {
  test("that is deployed has no problems, and its Secret is not looked at", async () => {
    const { postern } = folderWith({ "sidecar.yaml": deployed });
    const { code, out } = await postern("check", "sidecar.yaml");
    expect(code).toBe(0);
    const place = deployed.split("\n").findIndex((line) => line.includes("tls.crt")) + 1;
    expect(out).toContain(`sidecar.yaml:${place}:24: not looked at: '/etc/postern-tls/tls.crt' does not exist\n`);
    expect(out).toContain("sidecar.yaml: no problems in what is here\n");
  });

  test("is checked, tested and explained with what its volumes hold", async () => {
    const { postern } = folderWith({ "k8s.yaml": whole });
    expect(await postern("check", "k8s.yaml")).toEqual({ code: 0, err: "", out: "k8s.yaml: no problems\n" });
    expect(await postern("test", "k8s.yaml")).toMatchObject({ code: 0, out: expect.stringContaining("1 passed") });
    const told = await postern(
      "explain",
      "--policy",
      "k8s.yaml",
      "-H",
      "X-Api-Key: pk_0123456789abcdef0123456789",
      "GET /a",
    );
    expect(told.code).toBe(0);
    expect(told.out).toContain("k8s.yaml:12");
  });

  test("has its problems at its own lines and columns, in files that the policy names as well", async () => {
    const broken = configMap("orders", policy(", limits: []").replace("../secrets/keys.yaml", "keys.yaml"));
    const keys = "  keys.yaml: |\n    callers:\n      - { name: acme, keys: [{ sha256: no }] }\n";
    const text = broken + keys;
    const { postern } = folderWith({ "k8s.yaml": text });
    const { code, out } = await postern("check", "k8s.yaml");
    expect(code).toBe(1);
    const lines = text.split("\n");
    const line = lines.findIndex((one) => one.includes("limits: []"));
    expect(out).toContain(
      `k8s.yaml:${line + 1}:${(lines[line] ?? "").indexOf("limits: []") + 1}: unknown key 'limits'`,
    );
    const inKeys = lines.findIndex((one) => one.includes("sha256: no"));
    expect(out).toContain(`k8s.yaml:${inKeys + 1}:`);
  });

  test.each([true, false])(
    "holds files of tests and of a pattern of 'include' beside its policy; mounted: %s",
    async (isMounted) => {
      const rest = `    include: ["part*.yaml"]
  parts.yaml: |
    routes: [{ path: /b, methods: [GET], public: true }]
  policy.test.yaml: |
    tests:
      - { name: open, request: /b, expect: allow }
      - { name: closed, request: /c, expect: allow }
`;
      const text = configMap("orders", policy().replace("../secrets/keys.yaml", "keys.yaml")) + rest;
      const keys = `  keys.yaml: |\n    ${KEYS}\n`;
      const { postern } = folderWith({
        "k8s.yaml": text + keys + (isMounted ? pod : ""),
        "misspelt.yaml": text.replace("expect: allow", "expct: allow") + keys,
      });
      expect(await postern("check", "k8s.yaml")).toMatchObject({ code: 0, out: "k8s.yaml: no problems\n" });
      const { code, out } = await postern("test", "k8s.yaml");
      expect(code).toBe(1);
      expect(out).toContain("FAILED: closed");
      expect(out).toContain("2 passed, 1 failed");
      const line = text.split("\n").findIndex((one) => one.includes("name: open")) + 1;
      expect((await postern("check", "misspelt.yaml")).out).toContain(`misspelt.yaml:${line}:36: unknown key 'expct'`);
    },
  );

  test("of which several hold a policy wants to know which one", async () => {
    const other = `---\n${configMap("other", policy().replace("/a", "/other"))}`;
    const { postern } = folderWith({ "k8s.yaml": whole + other });
    expect(await postern("check", "k8s.yaml")).toMatchObject({
      code: 1,
      out: "k8s.yaml:1:1: the policy has several ConfigMaps with a policy; expected --configmap with one of: orders, other\n",
    });
    expect(await postern("check", "--configmap", "orders", "k8s.yaml")).toMatchObject({ code: 0 });
    expect(await postern("test", "--configmap", "orders", "k8s.yaml")).toMatchObject({ code: 0 });
    expect((await postern("check", "--configmap", "none", "k8s.yaml")).out).toContain("has no ConfigMap 'none'");
  });

  test("is compared with another, by the ConfigMap that is meant in both, and recorded requests are judged by it", async () => {
    const other = `---\n${configMap("other", policy().replace("/a", "/other"))}`;
    const { postern } = folderWith({
      "k8s.yaml": whole + other,
      "next.yaml": whole.replace("methods: [GET]", "methods: [GET, POST]") + other,
      "access.log": '192.0.2.1 - - [01/Dec/2026:09:00:00 +0000] "GET /a HTTP/1.1" 401 0 "-" "curl"\n',
    });
    const { code, out, err } = await postern("diff", "--configmap", "orders", "k8s.yaml", "next.yaml");
    expect({ code, err }).toEqual({ code: 1, err: "" });
    expect(out).toContain("POST /a");
    expect((await postern("diff", "k8s.yaml", "next.yaml")).err).toContain(
      "expected --configmap with one of: orders, other",
    );
    const replayed = await postern("replay", "--configmap", "orders", "--policy", "k8s.yaml", "access.log");
    expect({ code: replayed.code, err: replayed.err }).toEqual({ code: 0, err: "" });
  });

  test("without a policy, or that is no YAML, says so", async () => {
    const { postern } = folderWith({
      "none.yaml": "apiVersion: v1\nkind: ConfigMap\ndata: { a: b }\n",
      "broken.yaml": "apiVersion: v1\nkind: ConfigMap\ndata: { a: b\n",
    });
    expect((await postern("check", "none.yaml")).out).toContain("has no ConfigMap with a policy");
    expect((await postern("check", "broken.yaml")).out).toContain("is a manifest that is not valid YAML");
  });
});
