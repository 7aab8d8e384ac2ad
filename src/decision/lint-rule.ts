/** How bad it is: an error should not go live, a warning is most likely a mistake, an info is worth a look. */
export type Severity = "error" | "warning" | "info";

export interface LintSpec {
  readonly severity: Severity;
  /** What it is about, for the page of all rules. */
  readonly text: string;
  /** What to do about it. */
  readonly mend: string;
}

const error = (text: string, mend: string): LintSpec => ({ severity: "error", text, mend });
const warning = (text: string, mend: string): LintSpec => ({ severity: "warning", text, mend });
const info = (text: string, mend: string): LintSpec => ({ severity: "info", text, mend });

/**
 * Every kind of thing that a policy may say and hardly means. The key is the rule's name in `check`, in reports and in
 * `# postern: allow`; the list is closed, so that a lint without a row does not compile.
 */
export const LINT_RULES = {
  // who gets in
  authentication_not_enforced: warning(
    "'authenticate' only audits, or enforces for some requests: whoever comes is let in.",
    "enforce it, or say 'public: true' where everybody may come",
  ),
  weaker_twin: warning(
    "A service may take paths of this route for those of another one that asks for more.",
    "ask for the same in both",
  ),
  methods_taken: warning(
    "A more specific route takes some methods of a path alone, so a wider one does not hold for the others.",
    "give the specific route the missing methods, or take the path out of what the wider one promises",
  ),
  scopes_unmeetable: warning(
    "No caller of an authenticator can ever have these scopes.",
    "give a caller the scope, or ask for it below 'any'",
  ),
  condition_always_true: warning(
    "A condition, or a part of one, is true whatever comes, so it decides nothing.",
    "take it out, or say what was meant",
  ),
  condition_always_false: warning(
    "A condition, or a part of one, is false whatever comes.",
    "take it out, or say what was meant",
  ),
  rule_contradicted: warning("Another line of the same rule takes back what this one says.", "keep one of the two"),
  certificates_not_asked: warning(
    "An authenticator knows callers by client certificates, and no listener asks for them.",
    "set 'clientCertificate' on a listener",
  ),
  role_not_defined: warning(
    "A role has nearly the name of one in 'roles', and is taken for a role that callers bring.",
    "use the name that is defined",
  ),
  names_alike: warning(
    "Two names differ in their case alone, and are two.",
    "use one spelling, or names that nobody takes for each other",
  ),
  claim_name_split: warning(
    "The name of a claim has dots, and is read as a path.",
    "put a name that has dots itself in double quotes",
  ),
  audience_unchecked: warning(
    "Tokens for any service are let in.",
    "set 'audience' to what tokens for this service name",
  ),
  binding_unchecked: warning("Tokens that are bound to somebody are taken from anybody.", "set 'bound'"),
  serial_ambiguous: warning("Authorities may give the same serial number twice.", "name 'issuers' beside it"),
  fails_open: warning(
    "Whoever can keep a service or a store from answering is let in, or not limited, by it.",
    "refuse while it does not answer, where that can be borne",
  ),
  revocation_incomplete: warning(
    "A revocation list is missing for an authority, or is of one that nobody trusts.",
    "have one list for each authority in 'ca'",
  ),
  revocation_unmet: warning("No caller can be met by this revocation.", "revoke what the policy's authenticators know"),
  // secrets and transport
  secret_in_policy: error(
    "A secret stands in the policy, where everybody who reads the repository sees it.",
    "name a file or a variable in its place, and change the secret",
  ),
  secret_weak: warning("A secret is so short that it can be found by trying.", "use 32 random bytes or more"),
  credential_in_query: warning(
    "Credentials in the query stay in logs and histories.",
    "take them from a header where clients can set one",
  ),
  in_the_clear: warning("Who listens on the way reads and changes what goes over plain connections.", "use TLS"),
  body_unsigned: warning(
    "A signature that leaves out the body lets whoever is between change it.",
    "cover 'content-digest'",
  ),
  file_access: warning(
    "Others may read a private key, write what the policy is made of, or gain everything by a fault, for postern is root.",
    "tighten modes and owners, and give postern a user of its own",
  ),
  certificate_ends_soon: warning("A certificate ends within 30 days.", "renew it"),
  credential_ends_soon: warning(
    "The key or password of a caller ends within 30 days, or has ended.",
    "give its owner another one",
  ),
  certificate_chain: warning(
    "A file of certificates holds one that is no part of the chain, is no authority, or has ended.",
    "take it out or renew it",
  ),
  file_aged: warning("A file is out of date; it was in force, and so stays in force.", "renew it"),
  // limits
  route_without_limit: info(
    "Nothing limits how often a caller, or everybody, may ask for a route.",
    "set 'limit' on the route or in 'defaults'",
  ),
  limit_key_absent: warning(
    "A limit counts by something that requests of a route never have.",
    "count by what the route knows, as 'client.address'",
  ),
  client_address_shared: warning(
    "A limit or ban counts by client address, and behind a load balancer all clients would be one.",
    "say in 'trustedProxies' whose word on addresses counts, or [] for nobody's",
  ),
  plan_chosen_by_client: warning("A client can choose its plan.", "take the plan from what somebody else vouches for"),
  state_missing: warning(
    "Without 'state' a restart forgets what was counted, banned or fetched.",
    "set 'state: { directory: … }'",
  ),
  // what has no effect
  unused_definition: warning("It is defined, and nothing uses it.", "use it or take it out"),
  no_effect: warning("A setting is of no use beside the others.", "take it out, or the one that makes it useless"),
  placeholder_not_filled: warning(
    "A text looks like a placeholder of another product, and is sent as it stands.",
    "write an attribute in single braces, as in {jwt.tenant}",
  ),
  method_unusual: warning("A method has nearly the name of a usual one.", "use the usual name"),
  entry_left_out: warning("An entry of a file cannot be used, and is left out.", "mend the entry"),
  list_too_broad: warning("A list of addresses holds a large part of all there are.", "check where the list is from"),
  memory_capped: warning("The machine grants less memory than the policy says.", "lower the policy or raise the grant"),
  keys_unpublished: warning("Tokens are signed, and nobody can ask for the keys.", "set 'admin: { address }'"),
  resource_without_tokens: warning(
    "Metadata of a resource that takes no tokens tells clients nothing.",
    "take the entry out, or have a route take tokens",
  ),
  default_unseen: warning("The service cannot be told which version was taken.", "add a header or a query to 'from'"),
  // contracts and detection
  description_not_enforced: warning(
    "A description or schema says something that nobody enforces.",
    "mend the description, or enforce it in another way",
  ),
  description_closes: warning(
    "An extension opens operations at another gateway, and opens nothing here.",
    "name it in 'extensions' where that is meant",
  ),
  schema_unmeetable: warning("No body can fit a schema, or have a member that it declares.", "mend the schema"),
  schema_slow: warning("The longest body would take seconds to judge.", "lower 'body.maxBytes' or simplify the schema"),
  detector_refuses_route: warning(
    "Rules of a detector refuse each request of a route, or cannot read its bodies.",
    "set the rule set's 'variables', leave a rule out by 'exclude', or say 'detect: []'",
  ),
  rule_not_done: warning(
    "A rule of a detector's own files does not run, or sees less than it asks for.",
    "say it in the policy, as address lists, limits and bans do, or take the rule out",
  ),
  variable_unread: warning(
    "A detector sets a variable that none of its rules has.",
    "write its name as crs-setup.conf does, without 'tx.'",
  ),
  messages_unsearched: warning(
    "A route's detectors search requests, and messages of its WebSocket pass unsearched.",
    "judge messages in the service, and accept the finding by a comment",
  ),
  // versions that end
  deprecation_idle: warning(
    "A date of 'deprecated' has passed, or lies where it has no effect.",
    "mend the date or take it out",
  ),
  successor_unserved: warning("Clients are led to a path that no route serves.", "name a path of this policy or a URL"),
  // what an audit alone asks
  object_unchecked: warning(
    "Whoever may call a route may ask for any object of it: nothing compares its parameters with the caller.",
    "compare them with 'authorize.match' or a condition, ask a decision service, or make sure that the service does it",
  ),
  object_public: info("Objects of a public route are for everybody.", "ask who calls, where they are not meant to be"),
  public_write: warning("A public route takes methods that change something.", "ask who calls"),
  guessing_unbounded: warning(
    "Nothing slows down who guesses keys, passwords or tokens.",
    "add a ban on wrong credentials, or a limit by 'client.address'",
  ),
  body_unchecked: warning(
    "Nothing says what bodies of a route may hold, so clients may set whatever the service takes.",
    "describe them with 'validate'",
  ),
  answer_unchecked: info(
    "Nothing takes fields out of the answers of a route, or holds them to a schema.",
    "name what may leave with 'response.fields', 'mask', 'leaks' or 'validate'",
  ),
  function_unchecked: warning(
    "Whoever is known may do what a route does.",
    "say who may with 'authorize' or a decision service",
  ),
  read_unchecked: info("Whoever is known may read what a route has.", "say who may with 'authorize'"),
  caller_unlimited: info(
    "Nothing limits how often one caller may do what a route does.",
    "add a limit by 'principal', or 'distinct' for how many objects",
  ),
  url_unchecked: info(
    "Nothing looks at what clients send to a route, an address of another service in it for one.",
    "describe it with 'validate', or have rules of 'detect' look at it",
  ),
  not_enforced: warning("A check does not enforce, or not always.", "enforce it when its audit shows nothing more"),
  listener_in_the_clear: warning("Other machines reach a listener that has no TLS.", "give it 'tls'"),
  cors_any_origin: info("Pages of any origin may read answers.", "name the origins that are meant"),
  path_open: warning(
    "Whatever the service has below a path is reachable, also what nobody has listed.",
    "list the operations as routes, or by 'openapi'",
  ),
  methods_open: info("A route takes every usual method.", "name its methods"),
  answer_unjudged: info(
    "What comes from behind goes to clients without being held to a description.",
    "say what is promised with 'response.validate'",
  ),
  // the comments that silence
  allow_malformed: warning(
    "A comment '# postern: allow' names no rule there is, or gives no reason.",
    "write '# postern: allow RULE because REASON'",
  ),
  allow_unused: warning("A comment '# postern: allow' silences nothing.", "take it out"),
} satisfies Readonly<Record<string, LintSpec>>;

export type LintRule = keyof typeof LINT_RULES;

/** Rules of an audit: about what a policy does not have, which may be meant. */
export const AUDIT_RULES: ReadonlySet<LintRule> = new Set([
  "object_unchecked",
  "object_public",
  "public_write",
  "guessing_unbounded",
  "body_unchecked",
  "answer_unchecked",
  "function_unchecked",
  "read_unchecked",
  "caller_unlimited",
  "url_unchecked",
  "not_enforced",
  "listener_in_the_clear",
  "cors_any_origin",
  "path_open",
  "methods_open",
  "answer_unjudged",
]);

/** 'info' < 'warning' < 'error'. */
export function severityRank(severity: Severity): number {
  return severity === "error" ? 2 : severity === "warning" ? 1 : 0;
}
