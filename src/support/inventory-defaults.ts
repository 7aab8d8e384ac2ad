/** Of the inventory: what of the API is remembered. */
export const INVENTORY_DEFAULTS = {
  /** Routes, of this policy and of earlier ones. */
  inventoryRoutesMax: 10_000,
  /** Of a route with one place: methods by name; others are one. */
  inventoryMethodsMax: 16,
  /** Operations that were learnt below routes with `**`, and the steps of their paths. */
  inventoryLearntMax: 4_000,
  inventoryNodesMax: 8_000,
  /** Paths that were asked for and gave nothing. */
  inventoryProbedMax: 512,
  /** Texts of one place of a path; one more, and it is a parameter. */
  inventoryNamesMax: 64,
  inventoryWordCharsMax: 32,
  /** Steps of a path that are looked at, and its characters. */
  inventoryStepsMax: 12,
  inventoryPathCharsMax: 1_024,
  /** Requests whose paths wait for being learnt, and how long they do. */
  inventoryWaitingMax: 1_024,
  inventoryLearnMs: 50,
  /** Of one operation, and of all together. */
  inventoryCallers: 16,
  inventoryCallersMax: 64,
  inventoryAllCallersMax: 32_768,
  inventoryCallerCharsMax: 128,
  /** Of one operation: kinds of what leaked; of one route: rules that refused. */
  inventoryKindsMax: 64,
  inventoryRulesMax: 32,
  /** A token that lives longer is weak. */
  inventoryTokenMsMax: 30 * 24 * 3_600_000,
  /** Changes of so long are one write. */
  inventoryWriteMs: 30_000,
  /** How long listing, reading and writing go on at a stretch. */
  inventorySliceMs: 2,
  /** Of one answer of the admin port: operations, callers of each, and rows of what is live. */
  inventoryListMax: 1_000,
  inventoryCallersToldMax: 8,
  inventoryLiveMax: 100,
  /** An operation of which at least so many were refused, and more than were answered, is one that somebody tries. */
  inventoryRefusedMin: 20,
} as const;
