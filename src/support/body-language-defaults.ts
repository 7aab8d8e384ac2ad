/** Of bodies in languages of their own: the part of `DEFAULTS` about GraphQL, JSON-RPC and XML. */
export const BODY_LANGUAGE_DEFAULTS = {
  // GraphQL, each document.
  graphqlCharsMax: 128 * 1024,
  graphqlTokensMax: 5_000,
  graphqlOperationsMax: 100,
  graphqlFragmentsMax: 500,
  /** Arguments of one field, members of one object. */
  graphqlMembersMax: 200,
  /** Selection sets, lists and objects within each other in one definition. */
  graphqlNestingMax: 64,
  /** The same once fragments stand where they are spread. */
  graphqlStackMax: 256,
  // What a policy that says nothing else lets a request have.
  graphqlDepth: 15,
  graphqlAliases: 30,
  graphqlDirectives: 50,
  graphqlComplexity: 10_000,
  graphqlBatchMax: 100,
  /** A file of operations that are allowed. */
  graphqlAllowedBytesMax: 1024 * 1024,
  graphqlAllowedMax: 10_000,
  /** Of automatic persisted queries that a route remembers. */
  graphqlPersistedMax: 1_000,
  graphqlPersistedCharsMax: 4 * 1024 * 1024,

  // JSON-RPC.
  jsonRpcBatchMax: 1_000,
  jsonRpcMethodsMax: 1_000,
  jsonRpcMethodCharsMax: 256,
  /** A longer id is not repeated to whom a refusal is told. */
  jsonRpcIdCharsMax: 256,

  // XML, each document; what a policy that says nothing else lets it have.
  xmlDepth: 50,
  xmlElements: 10_000,
  xmlAttributes: 50,
  xmlAttributeBytes: 4 * 1024,
  xmlNamespaces: 100,
  xmlRebindings: 20,
  xmlTextBytes: 256 * 1024,
  xmlNameCharsMax: 1_024,
  /** Values are read in one go. */
  xmlAttributeBytesMax: 64 * 1024,
  /** Kinds of elements that a schema may speak of. */
  xmlPlacesMax: 1_000,
} as const;
