/**
 * Whether a rule makes a difference between the method that a request has and another that its parameters name for the
 * service. Then the request is denied: the rule was asked about the one, and the service would do the other.
 */
export type MethodRule = (asked: string, named: string) => boolean;
