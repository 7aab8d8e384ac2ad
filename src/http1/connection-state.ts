/** What a connection of a client is at. */
export type ConnectionState =
  | "head" // reading a head, or idle before one
  | "body" // the head is handed over, body bytes are still to come
  | "read" // the request is read whole, its response is under way
  | "closing"; // no more requests; what still comes is thrown away until the client closes too
