import type { Result } from "../support/result.ts";
import { type Address, type AdminPages, type AdminServer, isOwnHost, openPages, text } from "./admin.ts";
import { metricsPage } from "./metrics-page.ts";
import { giveWay } from "./probes.ts";

/**
 * Opens the port for metrics: /metrics and nothing else, for a Prometheus that must not reach the rest. Errors in the
 * words of the system.
 */
export function openMetrics(
  address: Address,
  pages: Pick<AdminPages, "metrics" | "metricsHosts">,
): Promise<Result<AdminServer, string>> {
  return openPages(
    address,
    async ({ method, url, headers }) => {
      if (!isOwnHost(headers.host ?? "", [address.host, ...pages.metricsHosts()])) {
        return text(421, "this host is not served here");
      }
      if (method !== "GET" && method !== "HEAD") {
        return { ...text(405, "only GET and HEAD"), headers: { Allow: "GET, HEAD" } };
      }
      if (url?.split("?", 1)[0] !== "/metrics") return text(404, "there is /metrics");
      return metricsPage(headers.accept ?? "", pages);
    },
    giveWay,
  );
}
