// What an agent shows to a signaling server that asks who it is.
import { checkName, messageOf, nativeAgentCall } from '../../base';
import { AgentKeys } from '../../identity';
import { binding } from '../../native';

/** A bearer token, or what gives one; asked again for every connection. */
export type SignalingToken = string | ((agentId: string) => string | Promise<string>);

/** What there is to show. */
export interface SignalingCredentials {
  /** Answers challenges. */
  keys?: AgentKeys;
  /** For servers that want a bearer token. */
  token?: SignalingToken;
}

/** Checks both. @throws TypeError - One is of another kind. */
export function checkCredentials({ keys, token }: SignalingCredentials): void {
  if (keys !== undefined && !(keys instanceof AgentKeys)) {
    throw new TypeError('keys must come from generateAgentKeys(), loadAgentKeys() or new AgentKeys()');
  }
  if (token !== undefined && typeof token !== 'function') checkName(token, 'token');
}

/** Speaks for an agent; none if there is nothing to show. */
export function makeProver(
  agentId: string,
  { keys, token }: SignalingCredentials,
): InstanceType<typeof binding.SignalingProver> | undefined {
  if (!keys && token === undefined) return undefined;
  const options = {
    token: token !== undefined,
    ...(keys && { privateKey: keys.exportPrivateKey(), kid: keys.kid }),
  };
  const give = async () => {
    try {
      const given: unknown = typeof token === 'function' ? await token(agentId) : token;
      return { token: checkName(given, 'the bearer token') };
    } catch (error) {
      return { error: `there is no bearer token: ${messageOf(error)}` };
    }
  };
  const native: InstanceType<typeof binding.SignalingProver> = nativeAgentCall(
    () =>
      new binding.SignalingProver(options, (id) => {
        void give().then((answer) => native.answer(id, JSON.stringify(answer)));
      }),
  );
  return native;
}
