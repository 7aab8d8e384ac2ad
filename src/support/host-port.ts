/** `127.0.0.1:8443`, `[::1]:8443`, `localhost:8443`. */
export function hostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
