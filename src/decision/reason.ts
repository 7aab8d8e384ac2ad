/** Whose fault an outcome is: the metric label `source` that decides who is woken at night. */
export type ReasonSource = "client" | "upstream" | "proxy";

export interface ReasonSpec {
  /** HTTP status of the answer (RFC 9110). 499 stands in log and metric for a client that went away. */
  readonly status: number;
  /** gRPC status of the answer, https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
  readonly grpcStatus: number;
  /** What the client may know; it never tells what would have been accepted. */
  readonly text: string;
  readonly source: ReasonSource;
}

const client = (status: number, grpcStatus: number, text: string): ReasonSpec => ({
  status,
  grpcStatus,
  text,
  source: "client",
});
const upstream = (status: number, grpcStatus: number, text: string): ReasonSpec => ({
  status,
  grpcStatus,
  text,
  source: "upstream",
});

const NOT_AUTHENTICATED = "Authentication is required.";
const NOT_PERMITTED = "The caller may not do this.";

/**
 * Every reason for which postern itself answers. The key is the metric label, the log field and the `reason` of the
 * answer; the list is closed, so a new reason without a row does not compile.
 */
export const REASONS = {
  // admit: the message has one valid reading, or it has none
  request_malformed: client(400, 3, "The request is not valid HTTP."),
  target_ambiguous: client(400, 3, "The request target can be read in more than one way."),
  host_invalid: client(400, 3, "The Host header is missing or invalid."),
  method_forbidden: client(405, 12, "The method is not allowed."),
  http_version_unsupported: client(400, 3, "The HTTP version is not supported."),
  expectation_failed: client(417, 3, "The expectation cannot be met."),
  head_too_large: client(431, 8, "The request header is too large."),
  headers_too_many: client(431, 8, "The request has too many headers."),
  head_timeout: client(408, 4, "The request header took too long."),
  address_denied: client(403, 7, NOT_PERMITTED),
  forwarded_invalid: client(400, 3, "The forwarding headers are invalid."),
  upgrade_refused: client(400, 3, "The connection cannot be upgraded here."),
  websocket_invalid: client(400, 3, "The WebSocket handshake is not valid."),
  websocket_version_unsupported: client(426, 3, "The WebSocket version is not supported."),
  // match
  route_not_found: client(404, 12, "There is nothing here."),
  operation_undeclared: client(404, 12, "There is nothing here."),
  method_not_allowed: client(405, 12, "The method is not allowed."),
  method_overridden: client(400, 3, "A parameter of the request names another method."),
  // authenticate
  credentials_missing: client(401, 16, NOT_AUTHENTICATED),
  credential_revoked: client(401, 16, NOT_AUTHENTICATED),
  certificate_missing: client(401, 16, NOT_AUTHENTICATED),
  certificate_untrusted: client(401, 16, NOT_AUTHENTICATED),
  certificate_issuer_unknown: client(401, 16, NOT_AUTHENTICATED),
  certificate_expired: client(401, 16, NOT_AUTHENTICATED),
  certificate_not_yet_valid: client(401, 16, NOT_AUTHENTICATED),
  certificate_revoked: client(401, 16, NOT_AUTHENTICATED),
  certificate_revocation_unknown: client(401, 16, NOT_AUTHENTICATED),
  certificate_usage_mismatch: client(401, 16, NOT_AUTHENTICATED),
  certificate_trust_domain_mismatch: client(401, 16, NOT_AUTHENTICATED),
  certificate_identity_mismatch: client(401, 16, NOT_AUTHENTICATED),
  api_key_unknown: client(401, 16, NOT_AUTHENTICATED),
  api_key_not_yet_valid: client(401, 16, NOT_AUTHENTICATED),
  api_key_expired: client(401, 16, NOT_AUTHENTICATED),
  basic_malformed: client(401, 16, NOT_AUTHENTICATED),
  password_wrong: client(401, 16, NOT_AUTHENTICATED),
  user_not_yet_valid: client(401, 16, NOT_AUTHENTICATED),
  user_expired: client(401, 16, NOT_AUTHENTICATED),
  banned: client(429, 8, "Too many requests were refused."),
  attempts_exceeded: client(429, 8, "Too many failed attempts."),
  verification_overloaded: {
    status: 503,
    grpcStatus: 14,
    text: "Credentials cannot be verified now.",
    source: "proxy",
  },
  token_malformed: client(401, 16, NOT_AUTHENTICATED),
  token_algorithm_forbidden: client(401, 16, NOT_AUTHENTICATED),
  token_key_unknown: client(401, 16, NOT_AUTHENTICATED),
  token_signature_invalid: client(401, 16, NOT_AUTHENTICATED),
  token_expired: client(401, 16, NOT_AUTHENTICATED),
  token_not_yet_valid: client(401, 16, NOT_AUTHENTICATED),
  token_issuer_mismatch: client(401, 16, NOT_AUTHENTICATED),
  token_audience_mismatch: client(401, 16, NOT_AUTHENTICATED),
  token_subject_mismatch: client(401, 16, NOT_AUTHENTICATED),
  token_type_mismatch: client(401, 16, NOT_AUTHENTICATED),
  token_claim_missing: client(401, 16, NOT_AUTHENTICATED),
  token_inactive: client(401, 16, NOT_AUTHENTICATED),
  introspection_unavailable: {
    status: 503,
    grpcStatus: 14,
    text: "The caller cannot be recognised just now.",
    source: "proxy",
  },
  token_not_bound: client(401, 16, NOT_AUTHENTICATED),
  proof_missing: client(401, 16, NOT_AUTHENTICATED),
  proof_malformed: client(401, 16, NOT_AUTHENTICATED),
  proof_incomplete: client(401, 16, NOT_AUTHENTICATED),
  proof_algorithm_forbidden: client(401, 16, NOT_AUTHENTICATED),
  proof_key_unknown: client(401, 16, NOT_AUTHENTICATED),
  proof_signature_invalid: client(401, 16, NOT_AUTHENTICATED),
  proof_mismatch: client(401, 16, NOT_AUTHENTICATED),
  proof_digest_mismatch: client(401, 16, NOT_AUTHENTICATED),
  proof_expired: client(401, 16, NOT_AUTHENTICATED),
  proof_nonce_invalid: client(401, 16, NOT_AUTHENTICATED),
  proof_replayed: client(401, 16, NOT_AUTHENTICATED),
  keys_unavailable: {
    status: 503,
    grpcStatus: 14,
    text: "The caller cannot be recognised just now.",
    source: "proxy",
  },
  keys_outdated: {
    status: 503,
    grpcStatus: 14,
    text: "The caller cannot be recognised just now.",
    source: "client",
  },
  authentication_insufficient: client(401, 16, "The user has to authenticate again."),
  // authorize
  scope_missing: client(403, 7, NOT_PERMITTED),
  role_missing: client(403, 7, NOT_PERMITTED),
  group_missing: client(403, 7, NOT_PERMITTED),
  claim_mismatch: client(403, 7, NOT_PERMITTED),
  caller_mismatch: client(403, 7, NOT_PERMITTED),
  authenticator_mismatch: client(403, 7, NOT_PERMITTED),
  certificate_mismatch: client(403, 7, NOT_PERMITTED),
  method_not_authorized: client(403, 7, NOT_PERMITTED),
  time_denied: client(403, 7, NOT_PERMITTED),
  attribute_mismatch: client(403, 7, NOT_PERMITTED),
  attribute_missing: client(403, 7, NOT_PERMITTED),
  condition_failed: client(403, 7, NOT_PERMITTED),
  condition_error: client(403, 7, NOT_PERMITTED),
  spiffe_id_mismatch: client(403, 7, NOT_PERMITTED),
  not_authorized: client(403, 7, NOT_PERMITTED),
  decision_denied: client(403, 7, NOT_PERMITTED),
  decision_unavailable: {
    status: 503,
    grpcStatus: 14,
    text: "Nobody can decide about the request just now.",
    source: "proxy",
  },
  origin_denied: client(403, 7, NOT_PERMITTED),
  // limit
  limit_key_missing: client(403, 7, NOT_PERMITTED),
  plan_missing: client(403, 7, NOT_PERMITTED),
  rate_limited: client(429, 8, "Too many requests."),
  bandwidth_exceeded: client(429, 8, "Too many bytes."),
  quota_exceeded: client(429, 8, "The quota is used up."),
  budget_exceeded: client(429, 8, "The budget is used up."),
  distinct_exceeded: client(429, 8, "Too many different things were asked for."),
  limit_store_unavailable: {
    status: 503,
    grpcStatus: 14,
    text: "Nobody can say just now whether these are too many requests.",
    source: "proxy",
  },
  concurrency_limited: client(429, 8, "Too many requests at once."),
  concurrency_full: { status: 503, grpcStatus: 14, text: "There is no capacity left.", source: "proxy" },
  queue_timeout: { status: 503, grpcStatus: 14, text: "The request waited too long for its turn.", source: "proxy" },
  // validate
  content_type_unsupported: client(415, 3, "The content type is not supported."),
  content_encoding_unsupported: client(415, 3, "The content encoding is not supported."),
  content_encoding_invalid: client(400, 3, "The request body is not in its content encoding."),
  body_inflates_too_much: client(413, 8, "The request body holds too much for its size."),
  body_too_large: client(413, 8, "The request body is too large."),
  body_timeout: client(408, 4, "The request body came too slowly."),
  request_timeout: client(408, 4, "The request took too long."),
  body_not_json: client(400, 3, "The request body is not valid JSON."),
  body_not_form: client(400, 3, "The request body is not a valid form."),
  graphql_invalid: client(400, 3, "The request is not valid GraphQL."),
  graphql_too_costly: client(400, 8, "The GraphQL request asks for too much."),
  graphql_introspection: client(403, 7, "The service's schema is not told."),
  graphql_operation_denied: client(403, 7, "The GraphQL operation is not allowed."),
  graphql_persisted_unknown: client(404, 5, "PersistedQueryNotFound"),
  body_not_multipart: client(400, 3, "The request body is not a valid multipart form."),
  form_parts_exceeded: client(413, 8, "The form has too many fields."),
  form_part_too_large: client(413, 8, "A field or file of the form is too large."),
  form_field_invalid: client(422, 3, "A field of the form is not as expected."),
  file_name_invalid: client(422, 3, "The name of a file is not allowed."),
  file_type_unsupported: client(415, 3, "The type of a file is not supported."),
  file_content_mismatch: client(422, 3, "The content of a file is not of its type."),
  jsonrpc_invalid: client(400, 3, "The request is not valid JSON-RPC."),
  jsonrpc_method_denied: client(403, 7, "The method may not be called."),
  body_schema_mismatch: client(422, 3, "The request body does not have the expected form."),
  parameter_invalid: client(422, 3, "A parameter does not have the expected form."),
  header_invalid: client(422, 3, "A header does not have the expected form."),
  // forward
  client_closed: client(499, 1, "The client went away."),
  client_read_timeout: client(499, 1, "The client did not take the answer in time."),
  // streams that were allowed when they began
  stream_denied: client(403, 16, NOT_PERMITTED),
  stream_expired: client(401, 16, NOT_AUTHENTICATED),
  stream_idle: client(408, 4, "The stream stood still for too long."),
  stream_lifetime: client(408, 4, "The stream lasted too long."),
  websocket_violation: client(400, 3, "The WebSocket's frames are not valid."),
  // the service
  upstream_connect_failed: upstream(502, 14, "The service cannot be reached."),
  upstream_connect_timeout: upstream(504, 14, "The service cannot be reached in time."),
  upstream_tls_failed: upstream(502, 14, "The service cannot be reached safely."),
  upstream_refused: upstream(503, 14, "The service did not take the request."),
  upstream_request_timeout: upstream(504, 4, "The service did not take the request in time."),
  upstream_response_timeout: upstream(504, 4, "The service did not answer in time."),
  upstream_response_invalid: upstream(502, 14, "The service gave an invalid answer."),
  response_denied: upstream(502, 14, "The service gave an answer that is not passed on."),
  upstream_closed: upstream(502, 14, "The service closed the connection without an answer."),
  upstream_response_cut: upstream(502, 14, "The service did not finish its answer."),
  stream_idle_timeout: upstream(504, 4, "The service stopped in the middle of its answer."),
  stream_duration_exceeded: upstream(504, 4, "The exchange took longer than it may."),
  upstream_overloaded: {
    status: 503,
    grpcStatus: 14,
    text: "The service has no capacity left.",
    source: "upstream",
  },
  memory_bodies: { status: 503, grpcStatus: 8, text: "There is no capacity left.", source: "proxy" },
  memory_streams: { status: 503, grpcStatus: 8, text: "There is no capacity left.", source: "proxy" },
  proof_window_full: { status: 503, grpcStatus: 8, text: "There is no capacity left.", source: "proxy" },
  overloaded: { status: 503, grpcStatus: 8, text: "There is no capacity left.", source: "proxy" },
  internal_error: { status: 500, grpcStatus: 13, text: "The request could not be processed.", source: "proxy" },
} as const satisfies Record<string, ReasonSpec>;

export type Reason = keyof typeof REASONS;
