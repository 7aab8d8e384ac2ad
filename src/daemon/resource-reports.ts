import type { ResourceReports } from "../resources/registry.ts";
import type { ResourceStatus } from "../resources/resource.ts";
import type { LiveTelemetry } from "../telemetry/live.ts";

type Reported = Pick<LiveTelemetry, "log" | "metrics">;

/** What the log and metrics are told of resources and of the folder for their state. */
export function resourceReports({ log, metrics }: Reported): Omit<ResourceReports, "onRecompile"> {
  return {
    onState: ({ kind, name, state, detail, fault, staleUntilMs }, before) => {
      const fields = {
        kind,
        name,
        state,
        before,
        detail: detail ?? undefined,
        fault: state === "ready" ? undefined : fault?.text,
        staleUntil: timeText(staleUntilMs) ?? undefined,
      };
      const write = state === "ready" ? log.info : state === "failing" ? log.error : log.warn;
      write("resource", "a resource of the policy has another state", fields);
    },
    onNote: ({ kind, name }, text) => log.warn("resource", text, { kind, name }),
    onFolder: (directory, file, text) => {
      metrics.stateFaults++;
      log.warn("state", text, { directory, file });
    },
  };
}

/** A line each, for people who look at /readyz?verbose. */
export function resourceLines(statuses: readonly ResourceStatus[]): string[] {
  const lines = statuses.map(({ kind, name, state, detail, staleUntilMs, fault, leftOut = [] }) => {
    const until = timeText(staleUntilMs);
    const parts = [
      `${kind} ${name}: ${state}`,
      ...(detail === null ? [] : [detail]),
      ...(until === null ? [] : [`serves until ${until}`]),
      ...(fault === null || state === "ready" ? [] : [`${timeText(fault.atMs)}: ${fault.text}`]),
      ...(leftOut.length === 0 ? [] : [`left out ${leftOut.join("; ")}`]),
    ];
    return parts.join(", ");
  });
  const isWell = statuses.every(({ state }) => state === "ready" || state === "starting");
  return isWell ? lines : [...lines, WHAT_TO_DO];
}

const WHAT_TO_DO =
  "of what fails: 'postern check --online' with the policy tries each once, docs/runbook.md tells more";

function timeText(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
