import type { Http2CloseReason } from "./close-reason.ts";
import { ERROR_CODE } from "./wire.ts";

/** The connection cannot go on (RFC 9113 section 5.4.1): what its GOAWAY says, and what the log and the metric call it. */
export class ConnectionFault {
  readonly code: number;
  readonly seen: string;
  readonly reason: Http2CloseReason;

  constructor(code: number, seen: string, reason: Http2CloseReason = "protocol_error") {
    this.code = code;
    this.seen = seen;
    this.reason = reason;
  }
}

export function protocolFault(seen: string): ConnectionFault {
  return new ConnectionFault(ERROR_CODE.protocolError, seen);
}

export function frameSizeFault(seen: string): ConnectionFault {
  return new ConnectionFault(ERROR_CODE.frameSizeError, seen);
}

export function flood(reason: Http2CloseReason): ConnectionFault {
  return new ConnectionFault(ERROR_CODE.enhanceYourCalm, reason, reason);
}
