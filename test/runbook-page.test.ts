// Goal: whoever is woken finds a page for the alert and for the reason, and nothing on it is dead. Method: the page, the alerts
// and the dashboard beside the table of reasons, the metrics and the commands that there are.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { REASONS, type Reason } from "../src/decision/reason.ts";
import { busyTelemetry } from "./fixtures/busy-telemetry.ts";
import { isThere } from "./fixtures/program.ts";

const at = (path: string): string => resolve(import.meta.dirname, "..", path);
const read = (path: string): string => readFileSync(at(path), "utf8");

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

const page = read("docs/runbook.md");
const { groups } = parse(read("deploy/prometheus/alerts.yaml")) as { groups: [{ rules: Alert[] }] };
const alerts = groups[0].rules;
const [alertsText = "", reasonsText = ""] = (page.split("\n## Alerts\n")[1] ?? "").split("\n## Reasons\n");

/** As GitHub makes anchors of headings. */
const anchorsOf = (text: string): string[] =>
  Array.from(text.matchAll(/^#+ (.*)$/gm), ([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );

/** Each metric, and the labels that the table of the README gives it. */
const labelsOf = new Map<string, readonly string[]>();

beforeAll(async () => {
  for (const line of read("src/telemetry/README.md").split("\n")) {
    const [, names = "", labels = ""] = line.split(/(?<!\\)\|/);
    for (const [name] of names.matchAll(/postern_\w+/g)) {
      labelsOf.set(
        name,
        [...labels.matchAll(/\w+/g)].map(([label]) => label),
      );
    }
  }
  const served = await busyTelemetry().metricsText();
  for (const [, name = ""] of served.matchAll(/^# TYPE (\S+)/gm)) {
    if (!name.startsWith("postern_")) labelsOf.set(name, []);
    else expect(labelsOf.has(name), name).toBe(true);
  }
  for (const [, sample = "", labels = ""] of served.matchAll(/^(postern_\w+)\{(.*)\} /gm)) {
    const family = sample.replace(/_(bucket|sum|count)$/, "");
    const own = [...labels.matchAll(/([a-z_]+)="/g)].map(([, label = ""]) => label).filter((label) => label !== "le");
    expect(labelsOf.get(family) ?? labelsOf.get(sample), sample).toEqual(expect.arrayContaining(own));
  }
});

/** What of an expression names a metric or label that there is not. */
function deadIn(expression: string): string[] {
  const bare = expression.replace(/"[^"]*"/g, '""').replaceAll("$__rate_interval", "5m");
  const labels = new Set(["job", "instance", "le"]);
  const dead: string[] = [];
  for (const [, sample = "", selector = ""] of bare.matchAll(/\b((?:postern|process|nodejs)_\w+)(?:\{([^}]*)\})?/g)) {
    const family = sample.replace(/_(bucket|sum|count)$/, "");
    const own = labelsOf.get(sample) ?? labelsOf.get(family);
    if (own === undefined) {
      dead.push(sample);
      continue;
    }
    for (const label of own) labels.add(label);
    for (const [, label = ""] of selector.matchAll(/(\w+)\s*[=!]/g)) {
      if (!["job", "instance", "le", ...own].includes(label)) dead.push(`${sample}{${label}}`);
    }
  }
  for (const [, group = ""] of bare.matchAll(/\b(?:by|on)\s*\(([^)]*)\)/g)) {
    for (const label of group.split(",").map((one) => one.trim())) if (!labels.has(label)) dead.push(`by (${label})`);
  }
  return dead;
}

describe("the page", () => {
  test("has each alert, no other, and each alert leads to its place", () => {
    const headings = Array.from(alertsText.matchAll(/^### (.*)$/gm), ([, title = ""]) => title);
    expect(headings).toEqual(alerts.map(({ alert }) => alert));
    for (const { alert, annotations } of alerts) {
      expect(annotations.runbook).toBe(`docs/runbook.md#${alert.toLowerCase()}`);
      expect(annotations.summary).not.toBe("");
    }
  });

  test("has each reason once, and no other", () => {
    const told = Array.from(reasonsText.matchAll(/^\| (`.*?) \|/gm), ([, cell = ""]) =>
      cell.replaceAll("`", "").split(", "),
    );
    expect(told.flat().sort()).toEqual(Object.keys(REASONS).sort());
  });

  test("leads nowhere that is not there", () => {
    for (const [, file = "", anchor = ""] of page.matchAll(/\]\(([^)#]*)(?:#([^)]*))?\)/g)) {
      const path = file === "" ? "docs/runbook.md" : `docs/${file}`;
      expect(existsSync(at(path)), path).toBe(true);
      if (anchor !== "") expect(anchorsOf(read(path)), `${path}#${anchor}`).toContain(anchor);
    }
  });

  test("names metrics, log events, commands and keys of the policy that there are", () => {
    for (const [name] of page.matchAll(/\bpostern_\w+/g)) expect(labelsOf.has(name), name).toBe(true);
    for (const [, command = ""] of page.matchAll(
      /\bpostern (check|explain|quota|bans|hash-key|[a-z-]+) (?:[A-Z/'-]|list|lift|reset)/g,
    )) {
      expect(existsSync(at(`src/cli/${command}.ts`)), command).toBe(true);
    }
    const telemetry = read("src/telemetry/README.md") + read("docs/log-fields.md");
    for (const [, event = ""] of page.matchAll(/lines? `(\w+)`/g)) expect(telemetry).toContain(`\`${event}\``);
    const keys = [...page.matchAll(/`([a-z]+[A-Z][A-Za-z]+)`/g)].map(([, key = ""]) => key);
    const known = read("policies/policy.schema.json") + telemetry + read("src/daemon/policy-in-force.ts");
    for (const key of keys) expect(new RegExp(`\\b${key}\\b`).test(known), key).toBe(true);
  });
});

describe("the alerts", () => {
  test("ask for metrics and labels that there are", () => {
    for (const { alert, expr, labels } of alerts) {
      expect(deadIn(expr), alert).toEqual([]);
      expect(["critical", "warning", "info"]).toContain(labels.severity);
    }
  });

  test.each([
    ["PosternUnauthenticatedJump", 401],
    ["PosternForbiddenJump", 403],
    ["PosternLimitedJump", 429],
  ])("%s is of the reasons with status %s, and of no other", (name, status) => {
    const expr = alerts.find(({ alert }) => alert === name)?.expr ?? "";
    const patterns = Array.from(expr.matchAll(/reason=~"([^"]*)"/g), ([, pattern = ""]) => pattern);
    expect(new Set(patterns).size).toBe(1);
    const reasons = (Object.keys(REASONS) as Reason[]).filter((reason) => REASONS[reason].status === status);
    const met = Object.keys(REASONS).filter((reason) => new RegExp(`^(?:${patterns[0]})$`).test(reason));
    expect(met).toEqual(reasons);
  });

  test("name reasons that there are", () => {
    for (const { alert, expr } of alerts) {
      for (const [, pattern = ""] of expr.matchAll(/requests_total\{[^}]*reason=~?"([^"]*)"/g)) {
        for (const one of pattern.match(/^[\w|]+(\.\*)?/)?.[0].split("|") ?? []) {
          const start = one.replace(/\.\*$/, "").replace(/_?$/, "");
          expect(
            Object.keys(REASONS).some((reason) => reason.startsWith(start)),
            `${alert}: ${one}`,
          ).toBe(true);
        }
      }
    }
  });

  test("fire on their faults and on nothing else, as promtool sees it", ({ skip }) => {
    const cases = parse(read("deploy/prometheus/alerts.test.yaml")) as { tests: { name: string }[] };
    expect(cases.tests.map(({ name }) => name)).toEqual([
      "an honest hour and a half",
      ...alerts.map(({ alert }) => alert),
    ]);
    if (!isThere("promtool")) skip("promtool is not installed");
    const ran = spawnSync("promtool", ["test", "rules", "alerts.test.yaml"], {
      cwd: at("deploy/prometheus"),
      encoding: "utf8",
    });
    expect(ran.stdout + ran.stderr).toContain("SUCCESS");
    expect(ran.status).toBe(0);
  });
});

test("an expression that asks for what there is not is found", () => {
  expect(deadIn('rate(postern_requests_totl{route="x"}[5m])')).toEqual(["postern_requests_totl"]);
  expect(deadIn('sum by (rout) (rate(postern_requests_total{cause="x"}[5m]))')).toEqual([
    "postern_requests_total{cause}",
    "by (rout)",
  ]);
  expect(
    deadIn('histogram_quantile(0.9, sum by (le, route) (rate(postern_request_seconds_bucket{route="a"}[5m])))'),
  ).toEqual([]);
});

describe("the dashboard", () => {
  interface Panel {
    readonly id: number;
    readonly title: string;
    readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  }
  const { panels } = JSON.parse(read("deploy/grafana/postern.json")) as { panels: readonly Panel[] };
  const targets = panels.flatMap(({ title, targets: own = [] }) => own.map((target) => ({ title, ...target })));

  test("asks for metrics and labels that there are, and names series by what they have", () => {
    expect(targets.length).toBeGreaterThan(30);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { title, expr, legendFormat } of targets) {
      expect(deadIn(expr), title).toEqual([]);
      const group = /\bby \(([^)]*)\)/.exec(expr)?.[1]?.split(", ") ?? ["instance"];
      for (const [, label = ""] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) expect(group, title).toContain(label);
    }
  });

  test("has expressions that Prometheus reads", ({ skip }) => {
    if (!isThere("promtool")) skip("promtool is not installed");
    const rules = targets.map(({ expr }, number) => ({
      record: `panel:${number}`,
      expr: expr.replaceAll("$__rate_interval", "5m"),
    }));
    const folder = mkdtempSync(join(tmpdir(), "postern-panels-"));
    writeFileSync(join(folder, "rules.yaml"), JSON.stringify({ groups: [{ name: "panels", rules }] }));
    const checked = spawnSync("promtool", ["check", "rules", join(folder, "rules.yaml")], { encoding: "utf8" });
    rmSync(folder, { recursive: true });
    expect(checked.stdout + checked.stderr).toContain(`SUCCESS: ${targets.length} rules found`);
  });
});
