import type { MetricsFormat } from "../telemetry/long-family.ts";

interface MetricsPages {
  readonly metrics: (format: MetricsFormat) => Promise<string>;
}

interface MetricsPage {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

const CONTENT_TYPES: Readonly<Record<MetricsFormat, string>> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** The metrics in the format that the scraper likes best. */
export async function metricsPage(accept: string, { metrics }: MetricsPages): Promise<MetricsPage> {
  const format = formatFor(accept);
  return { status: 200, contentType: CONTENT_TYPES[format], body: await metrics(format) };
}

/**
 * OpenMetrics 1.0 where the scraper asks for it and does not like the other format better (RFC 9110 section 12.5.1);
 * Prometheus names its wishes with falling weights.
 */
export function formatFor(accept: string): MetricsFormat {
  let open = 0;
  let plain = 0;
  for (const range of accept.toLowerCase().split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    const weight = Number(parameters.find((one) => one.startsWith("q="))?.slice(2) ?? 1);
    const version = parameters.find((one) => one.startsWith("version="))?.slice(8) ?? "1.0.0";
    if (type === "application/openmetrics-text" && version === "1.0.0") open = Math.max(open, weight);
    if (type === "text/plain") plain = Math.max(plain, weight);
  }
  return open > 0 && open >= plain ? "openmetrics" : "prometheus";
}
