// Proxies between an agent and its signaling server.

/** Proxies as the native client takes them. */
export interface SignalingProxy {
  http?: string;
  https?: string;
  no?: string;
  loopback: boolean;
}

/**
 * The proxies that an option, or else the environment, asks for. The environment is read here and not in the native core: in a
 * worker `process.env` may differ from that of the process.
 * @throws TypeError - The option is neither the URL of a proxy nor `false`.
 */
export function resolveProxy(
  option: string | URL | false | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
): SignalingProxy | undefined {
  if (option === false) return undefined;
  if (option !== undefined) {
    if (typeof option !== 'string' && !(option instanceof URL)) {
      throw new TypeError('proxy must be the URL of an HTTP proxy, or false');
    }
    const url = String(option);
    if (!/^https?:\/\/./i.test(url)) {
      // Not shown: it may have a password in it.
      throw new TypeError('proxy must be a URL like "http://host:3128" or "https://user:password@host"');
    }
    return { http: url, https: url, loopback: true };
  }
  const value = (name: string): string | undefined => env[name.toLowerCase()] || env[name] || undefined;
  const all = value('ALL_PROXY');
  // In a CGI program anybody can set HTTP_PROXY, by the header "Proxy" of a request.
  const http = (env['REQUEST_METHOD'] === undefined ? value('HTTP_PROXY') : env['http_proxy']) ?? all;
  const https = value('HTTPS_PROXY') ?? all;
  if (http === undefined && https === undefined) return undefined;
  return { http, https, no: value('NO_PROXY'), loopback: false };
}
