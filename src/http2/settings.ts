import { ConnectionFault, frameSizeFault, protocolFault } from "./connection-fault.ts";
import { ERROR_CODE, FRAME_BYTES_MAX, SETTING, WINDOW_MAX } from "./wire.ts";

/** What of a peer's SETTINGS concerns us; null where it says nothing of it. */
export interface PeerSettings {
  readonly initialWindow: number | null;
  readonly maxConcurrentStreams: number | null;
  /** It counts on another HPACK table than before. */
  readonly hasTableSize: boolean;
}

/** RFC 9113 section 6.5.2. What a peer takes beyond the defaults (larger frames, more of a table) is not made use of. */
export function readSettings(payload: Buffer): PeerSettings | ConnectionFault {
  if (payload.length % 6 !== 0) return frameSizeFault("SETTINGS of broken entries");
  let initialWindow: number | null = null;
  let maxConcurrentStreams: number | null = null;
  let hasTableSize = false;
  for (let at = 0; at < payload.length; at += 6) {
    const value = payload.readUInt32BE(at + 2);
    switch (payload.readUInt16BE(at)) {
      case SETTING.headerTableSize:
        hasTableSize = true;
        break;
      case SETTING.enablePush:
        if (value > 1) return protocolFault("SETTINGS_ENABLE_PUSH that is no boolean");
        break;
      case SETTING.maxConcurrentStreams:
        maxConcurrentStreams = value;
        break;
      case SETTING.initialWindowSize:
        if (value > WINDOW_MAX) return new ConnectionFault(ERROR_CODE.flowControlError, "initial window too large");
        initialWindow = value;
        break;
      case SETTING.maxFrameSize:
        if (value < FRAME_BYTES_MAX || value > 0xff_ffff) return protocolFault("SETTINGS_MAX_FRAME_SIZE out of range");
        break;
      default:
    }
  }
  return { initialWindow, maxConcurrentStreams, hasTableSize };
}
