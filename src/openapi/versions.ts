import { type Dialect, dialectOf } from "../schema/dialect.ts";
import type { Findings } from "./findings.ts";
import type { Spot } from "./spot.ts";

export type Version = "3.0" | "3.1" | "3.2";

/** Which OpenAPI a document is written in; null, with a problem, where it is another language. */
export function versionOf(root: Spot, findings: Findings): Version | null {
  const { openapi, swagger } = root.members;
  // YAML reads `openapi: 3.0` without quotes as a number.
  const written = typeof openapi === "number" ? openapi.toFixed(1) : openapi;
  if (typeof written === "string") {
    const version = /^3\.([012])(?:\.|$)/.exec(written)?.[1];
    if (version !== undefined) return `3.${version}` as Version;
    findings.problem(
      root.at("openapi")?.place ?? root.place,
      "expected a version of OpenAPI: 3.0, 3.1 or 3.2, as in openapi: 3.1.0",
    );
    return null;
  }
  if (swagger !== undefined) {
    findings.problem(
      root.at("swagger")?.place ?? root.place,
      "this is Swagger 2.0; expected OpenAPI 3, to which many tools convert",
    );
    return null;
  }
  findings.problem(root.place, "'openapi' is missing; expected an OpenAPI document, as it begins: openapi: 3.1.0");
  return null;
}

/** What the document's schemas are written in (3.1 section 4.8.24.5). */
export function dialectIn(root: Spot, version: Version, findings: Findings): Dialect {
  if (version === "3.0") return "openapi-3.0";
  const uri = root.text("jsonSchemaDialect");
  if (uri === null) return "2020-12";
  // Each release of OpenAPI 3.1 and 3.2 has its own date in it; all are 2020-12 with words for readers.
  const dialect = /^https:\/\/spec\.openapis\.org\/oas\/3\.[12]\/dialect\//.test(uri) ? "2020-12" : dialectOf(uri);
  if (dialect !== null) return dialect;
  findings.warning(
    root.at("jsonSchemaDialect")?.place ?? root.place,
    `the dialect '${uri}' is not known; read as 2020-12`,
  );
  return "2020-12";
}
