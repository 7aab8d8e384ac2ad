import type { LintRule } from "../../decision/lint-rule.ts";

/** One of the OWASP API Security Top 10 of 2023. */
export interface AuditItem {
  readonly id: ItemId;
  readonly title: string;
  /** What postern does whatever the policy says; empty where it does nothing. */
  readonly always: string;
  /** What nobody can see from before the service. */
  readonly beyond: string;
}

export type ItemId = "API1" | "API2" | "API3" | "API4" | "API5" | "API6" | "API7" | "API8" | "API9" | "API10";

/** https://owasp.org/API-Security/editions/2023/en/0x11-t10/ */
export const AUDIT_ITEMS: readonly AuditItem[] = [
  {
    id: "API1",
    title: "Broken Object Level Authorization",
    always: "",
    beyond: "whose an object is, where neither the request nor the caller's claims say it",
  },
  {
    id: "API2",
    title: "Broken Authentication",
    always:
      "a route without 'authenticate' and 'public: true' does not compile; tokens are verified by named algorithms alone",
    beyond: "how the identity provider logs users in",
  },
  {
    id: "API3",
    title: "Broken Object Property Level Authorization",
    always: "",
    beyond: "which properties a caller may see or set, where no rule and no schema says it",
  },
  {
    id: "API4",
    title: "Unrestricted Resource Consumption",
    always: "heads, bodies, connections, times and memory are bounded",
    beyond: "what a request costs within the service",
  },
  {
    id: "API5",
    title: "Broken Function Level Authorization",
    always: "what no route names is refused",
    beyond: "functions that a body chooses and no rule looks at",
  },
  {
    id: "API6",
    title: "Unrestricted Access to Sensitive Business Flows",
    always: "",
    beyond: "which flows are sensitive, and whether a person is behind a caller",
  },
  {
    id: "API7",
    title: "Server Side Request Forgery",
    always: "postern itself asks no address that a client names",
    beyond: "which addresses the service asks",
  },
  {
    id: "API8",
    title: "Security Misconfiguration",
    always:
      "requests have one reading; names and versions of the service's software come off; an unknown key of the policy is a problem",
    beyond: "how the service and its machine are set up",
  },
  {
    id: "API9",
    title: "Improper Inventory Management",
    always: "what no route names is refused",
    beyond: "other hosts and environments, and who reaches the service without postern",
  },
  {
    id: "API10",
    title: "Unsafe Consumption of APIs",
    always: "certificates of services and of whoever postern asks are verified",
    beyond: "what the service itself takes from other APIs",
  },
];

/** Where each rule of lint belongs; null for what is no matter of security by itself. */
export const ITEM_OF_RULE: Readonly<Record<LintRule, ItemId | null>> = {
  authentication_not_enforced: "API2",
  weaker_twin: "API5",
  methods_taken: "API5",
  scopes_unmeetable: "API5",
  condition_always_true: "API5",
  condition_always_false: "API5",
  rule_contradicted: "API5",
  certificates_not_asked: "API2",
  role_not_defined: "API5",
  names_alike: null,
  claim_name_split: "API5",
  audience_unchecked: "API2",
  binding_unchecked: "API2",
  serial_ambiguous: "API2",
  fails_open: "API8",
  revocation_incomplete: "API2",
  revocation_unmet: "API2",
  secret_in_policy: "API8",
  secret_weak: "API2",
  credential_in_query: "API2",
  in_the_clear: "API8",
  body_unsigned: "API2",
  file_access: "API8",
  certificate_ends_soon: "API8",
  credential_ends_soon: null,
  certificate_chain: "API8",
  file_aged: "API8",
  route_without_limit: "API4",
  limit_key_absent: "API4",
  client_address_shared: "API4",
  plan_chosen_by_client: "API4",
  state_missing: "API4",
  unused_definition: null,
  no_effect: "API8",
  placeholder_not_filled: null,
  method_unusual: null,
  entry_left_out: "API8",
  list_too_broad: null,
  memory_capped: null,
  keys_unpublished: null,
  resource_without_tokens: null,
  default_unseen: "API9",
  description_not_enforced: "API3",
  description_closes: null,
  schema_unmeetable: null,
  schema_slow: "API4",
  detector_refuses_route: null,
  rule_not_done: null,
  variable_unread: null,
  messages_unsearched: null,
  deprecation_idle: "API9",
  successor_unserved: "API9",
  object_unchecked: "API1",
  object_public: "API1",
  public_write: "API2",
  guessing_unbounded: "API2",
  body_unchecked: "API3",
  answer_unchecked: "API3",
  function_unchecked: "API5",
  read_unchecked: "API5",
  caller_unlimited: "API6",
  url_unchecked: "API7",
  not_enforced: "API8",
  listener_in_the_clear: "API8",
  cors_any_origin: "API8",
  path_open: "API9",
  methods_open: "API9",
  answer_unjudged: "API10",
  allow_malformed: null,
  allow_unused: null,
};
