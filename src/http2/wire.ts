/** Numbers of the wire: RFC 9113 sections 6 and 7, RFC 8441. */

export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const FLAG = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

export const ERROR_CODE = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  enhanceYourCalm: 11,
} as const;

export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
  enableConnectProtocol: 8,
} as const;

/** Bytes of a frame's head. */
export const FRAME_HEAD_BYTES = 9;
/** What a frame may carry before anything else was agreed on; nothing larger is taken or sent here. */
export const FRAME_BYTES_MAX = 16_384;
export const STREAM_ID_MAX = 0x7fff_ffff;
export const WINDOW_MAX = 0x7fff_ffff;
/** Flow-control window of connections, and of streams until SETTINGS say otherwise. */
export const WINDOW_BYTES = 65_535;

export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
