/** Limits of Protocol Buffers, and of calls by gRPC, gRPC-Web and Connect. Units stand last in the names. */
export const GRPC_DEFAULTS = {
  /** A file of descriptors. */
  descriptorBytesMax: 16 * 1024 * 1024,
  descriptorTypesMax: 20_000,
  descriptorFieldsMax: 500_000,
  /** Rules of one message type, those of its fields' elements counted. */
  messageRulesMax: 2_000,
  /** What gRPC servers take if nobody says otherwise. */
  messageBytesMax: 4 * 1024 * 1024,
  /** Values of one message, those of messages within it counted: more would hold the thread for tens of milliseconds. */
  messageValuesMax: 50_000,
  /** Values that are read between two looks at the clock. */
  messageValuesInOneStep: 256,
  /** Characters that are held against rules between two looks at the clock, and what a value counts for besides. */
  messageWorkInOneStep: 512,
  messageWorkOfValue: 16,
  /** The same for a step of a condition in CEL. */
  messageWorkOfStep: 8,
  /** Steps of all conditions in CEL that one message is held against. */
  messageStepsMax: 1_000_000,
  /** Messages within each other: what C++, Java and Go read. */
  messageDepthMax: 100,
  /** Faults of one message that are told. */
  messageFaultsMax: 16,
  /** Of the details of a denial, in a header that clients take 8 KiB of in all. */
  statusDetailsBytesMax: 3 * 1024,
  /** The end of an answer that is read for how the call went. */
  callEndBytesMax: 16 * 1024,
} as const;
