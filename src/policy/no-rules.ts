import { METHOD_PARAMETERS } from "../bodies/method-parameters.ts";
import type { RequestRules, ResponseRules } from "../filters/filter.ts";

/** For policies of a registry without the filters `request` and `response`. */
export const NO_REQUEST_RULES: RequestRules = {
  keepCredentials: false,
  clientCertificate: [],
  removeHeaders: [],
  setHeaders: [],
  identity: [],
  methodParameters: METHOD_PARAMETERS,
  forward: null,
  keepHeaders: [],
  declaredHeaders: [],
};
export const NO_RESPONSE_RULES: ResponseRules = {
  edits: [],
  allowHeaders: null,
  removeHeaders: new Set(),
  setHeaders: [],
  addHeaders: [],
  defaultHeaders: [],
  setHeadersSecure: [],
};
