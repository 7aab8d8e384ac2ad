const FIRST_FD = 3;
const SOCKETS_MAX = 64;

/**
 * Listening sockets passed by systemd (sd_listen_fds(3)): LISTEN_FDS of them from descriptor 3 on, named by
 * LISTEN_FDNAMES, meant for the process LISTEN_PID only. Empty where there are none.
 */
export function inheritedSockets(
  environment: Readonly<Record<string, string | undefined>>,
  pid: number,
): ReadonlyMap<string, number> {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = environment;
  const count = Number(LISTEN_FDS ?? "0");
  if (Number(LISTEN_PID) !== pid || !Number.isInteger(count) || count < 1 || count > SOCKETS_MAX) return new Map();
  const names = (LISTEN_FDNAMES ?? "").split(":");
  return new Map(Array.from({ length: count }, (_, at) => [names[at] || `${at}`, FIRST_FD + at]));
}
