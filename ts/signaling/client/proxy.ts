// Proxies between an agent and its signaling server.

/** A proxy, and where it was set. */
export interface ProxySetting {
  url: string;
  /** The name of a variable or option, for errors. */
  origin: string;
}

/** Proxies as the native client takes them. */
export interface SignalingProxy {
  http?: ProxySetting;
  https?: ProxySetting;
  no?: string;
  loopback: boolean;
}

/**
 * The proxies that an option, or else the environment, asks for, in the order of curl. The environment is read here and not in
 * the native core: in a worker `process.env` may differ from that of the process. What cannot be used is refused by the core,
 * which knows whether a server needs it.
 * @throws TypeError - The option is neither the URL of a proxy nor `false`.
 */
export function resolveProxy(
  option: string | URL | false | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
): SignalingProxy | undefined {
  if (option === false) return undefined;
  if (option !== undefined) {
    if (typeof option !== 'string' && !(option instanceof URL)) {
      throw new TypeError('proxy must be the URL of an HTTP or SOCKS5 proxy, or false');
    }
    const url = String(option);
    if (!/^(https?|socks5h?):\/\/./i.test(url)) {
      // Not shown: it may have a password in it.
      throw new TypeError(
        'proxy must be a URL like "http://host:3128", "https://user:password@host" or "socks5h://host:1080"',
      );
    }
    const setting = { url, origin: 'proxy' };
    return { http: setting, https: setting, loopback: true };
  }
  const read = (name: string): ProxySetting | undefined => {
    const url = env[name];
    return url ? { url, origin: name } : undefined;
  };
  const either = (name: string) => read(name.toLowerCase()) ?? read(name);
  const all = either('ALL_PROXY');
  // In a CGI program anybody can set HTTP_PROXY, by the header "Proxy" of a request.
  const http = (env['REQUEST_METHOD'] === undefined ? either('HTTP_PROXY') : read('http_proxy')) ?? all;
  const https = either('HTTPS_PROXY') ?? all;
  if (http === undefined && https === undefined) return undefined;
  return { http, https, no: either('NO_PROXY')?.url, loopback: false };
}
