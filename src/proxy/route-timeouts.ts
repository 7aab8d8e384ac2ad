import type { Route, UpstreamSettings } from "../policy/snapshot.ts";

const known = new WeakMap<Route, WeakMap<UpstreamSettings, UpstreamSettings>>();

/** The times of a service as the route has them; made once for each of the two. */
export function settingsOn(route: Route | null, settings: UpstreamSettings): UpstreamSettings {
  const timeouts = route?.timeouts ?? null;
  if (route === null || timeouts === null) return settings;
  const ofRoute = known.get(route) ?? new WeakMap<UpstreamSettings, UpstreamSettings>();
  known.set(route, ofRoute);
  const found = ofRoute.get(settings) ?? { ...settings, ...timeouts };
  ofRoute.set(settings, found);
  return found;
}
