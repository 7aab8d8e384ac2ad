/** Of who clients are by where they come from: a part of `DEFAULTS`. */
export const ADDRESS_DEFAULTS = {
  /** A list of addresses, or a database of where they are. */
  addressBytesMax: 64 * 1024 * 1024,
  /** Entries of one list; of IPv6 each takes 32 bytes. */
  addressEntriesMax: 4_000_000,
  /** Files of lists at one place of a policy; each is asked in turn. */
  addressFilesMax: 32,
  /** Of the lines of a list that are none, those that are told. */
  addressFaultsMax: 10,
  /** A row of CSV, or a JSON value in a line. */
  addressLineBytesMax: 16 * 1024,
  /** Beyond this share of all addresses a list is warned of. */
  addressShareWarned: 0.25,
  /** Records of a database that are kept once they were asked for, and letters of a network's name. */
  geoRecordsKeptMax: 8_192,
  geoNameCharsMax: 128,
  /** Countries or networks that one rule names. */
  originsMax: 1_000,
  /** User agents that are kept with what is known of them, and the longest. */
  botUserAgentsKeptMax: 1_000,
  botUserAgentKeptCharsMax: 512,
  /** Words of one list of a policy, and crawlers. */
  botWordsMax: 500,
  botCrawlersMax: 64,
  /** Lists by reason and what came of it that are counted. */
  metricListsMax: 1_000,
} as const;
