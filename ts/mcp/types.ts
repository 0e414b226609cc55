// The shapes of the official SDK that matter here. They are written down once more, as both of its generations fit them, and nobody has
// to install it who does not use it.

/** A JSON-RPC 2.0 request, notification or response. What it says is for the SDK to check. */
export interface JsonRpcMessage {
  jsonrpc: '2.0';
}

/** Who has sent a message, in the form in which the SDK gives it to handlers as `authInfo`. */
export interface McpAuthInfo {
  /** There is none: the certificate of the connection is what was proven. Empty. */
  token: string;
  /** The URI of the agent. */
  clientId: string;
  /** What the option `scopes` of {@link serveMcp} has said. */
  scopes: string[];
  /** `extra.agent` is the `RemoteAgent`, with how it was proven. */
  extra?: Record<string, unknown>;
}

/** What comes with a message. */
export interface McpMessageExtra {
  /** The sender, if its name is proven; absent if it is not. */
  authInfo?: McpAuthInfo;
}
