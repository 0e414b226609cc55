import { WHIPError } from './error';

/** A bearer token (RFC 6750), or what gives one for an address: it is asked for each request. */
export type WHIPToken = string | ((url: URL) => string | undefined | Promise<string | undefined>);

export interface HttpOptions {
  token?: WHIPToken;
  headers?: Record<string, string>;
  timeout?: number;
  fetch?: typeof fetch;
}

export interface Request {
  method: 'POST' | 'PATCH' | 'DELETE';
  url: URL;
  body?: string;
  /** Of the body. */
  type?: string;
  ifMatch?: string;
  signal?: AbortSignal;
}

/** An answer, whatever its status. */
export interface Reply {
  /** Where it came from, after redirects. */
  url: URL;
  status: number;
  headers: Headers;
  body: string;
}

/** A description of many sections has some ten thousand characters. */
const MAX_BODY = 1 << 20;

/** As many as fetch follows. */
const MAX_REDIRECTS = 20;

const DEFAULT_TIMEOUT = 30_000;

/** The requests of one session. */
export class Http {
  readonly #options: HttpOptions;
  readonly #fetch: typeof fetch;

  constructor(options: HttpOptions) {
    const { timeout = DEFAULT_TIMEOUT } = options;
    if (!(timeout > 0 && timeout <= 2 ** 31 - 1)) {
      throw new RangeError(`timeout is ${timeout}: it has to be between 1 and 2147483647 ms`);
    }
    this.#options = { ...options, timeout };
    this.#fetch = options.fetch ?? fetch;
  }

  /** Sends it and follows redirects; any status but those is an answer. */
  async send(request: Request): Promise<Reply> {
    let { url } = request;
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const reply = await this.#once({ ...request, url });
      if (reply.status < 300 || reply.status > 399 || reply.status === 304) return reply;
      url = redirected(request, reply);
    }
    throw new WHIPError('PROTOCOL_ERROR', `${at(request)} was redirected more than ${MAX_REDIRECTS} times`);
  }

  async #once(request: Request): Promise<Reply> {
    const { method, url, body, signal } = request;
    const headers = await this.#headers(request);
    // From here on, as the token may take its time.
    const limit = AbortSignal.timeout(this.#options.timeout!);
    const both = signal ? AbortSignal.any([signal, limit]) : limit;
    try {
      const init = { method, headers, body, signal: both, redirect: 'manual' } as const;
      const response = await this.#fetch(url, init);
      return { url, status: response.status, headers: response.headers, body: await textOf(response, request) };
    } catch (error) {
      if (error instanceof WHIPError || signal?.aborted) throw error;
      const why = limit.aborted ? `within ${this.#options.timeout} ms` : `: ${reasonOf(error)}`;
      throw new WHIPError('UNREACHABLE', `${at(request)} got no answer ${why}`.replace(' :', ':'), { cause: error });
    }
  }

  async #headers({ url, type, ifMatch }: Request): Promise<Record<string, string>> {
    const { token, headers } = this.#options;
    const bearer = typeof token === 'function' ? await token(url) : token;
    return {
      ...headers,
      ...(type !== undefined && { 'Content-Type': type }),
      ...(ifMatch !== undefined && { 'If-Match': ifMatch }),
      ...(bearer !== undefined && { Authorization: `Bearer ${bearer}` }),
    };
  }
}

/** For messages. Without its query, which may hold a secret. */
export function at({ method, url }: Pick<Request, 'method' | 'url'>): string {
  return `${method} ${url.origin}${url.pathname}`;
}

/**
 * Where a server sends us. RFC 9725 4.5: with the same method, so neither 301 nor 302, which fetch would turn into a GET. The token goes along, as
 * a redirect is how load is balanced there; so it must not lead out of HTTPS.
 */
function redirected(request: Request, { url, status, headers }: Reply): URL {
  const location = headers.get('Location');
  if ((status !== 307 && status !== 308) || location === null) {
    const what = location === null ? `${status} without an address` : `${status}`;
    throw new WHIPError(
      'PROTOCOL_ERROR',
      `${at(request)} was redirected with ${what}; only 307 and 308 keep the request`,
      {
        status,
      },
    );
  }
  return follow(url, location, `the redirect of ${at(request)}`);
}

/** An address that a server has named, relative to its own. */
export function follow(base: URL, location: string, what: string): URL {
  const url = URL.canParse(location, base.href) ? new URL(location, base.href) : undefined;
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new WHIPError('PROTOCOL_ERROR', `${what} names no HTTP address: ${JSON.stringify(location.slice(0, 200))}`);
  }
  if (base.protocol === 'https:' && url.protocol !== 'https:') {
    throw new WHIPError('PROTOCOL_ERROR', `${what} leads out of HTTPS, to ${url.origin}; the token would be readable`);
  }
  return url;
}

/** What a status that says no means, in words. */
export function refusal(request: Pick<Request, 'method' | 'url'>, { status, headers, body }: Reply): WHIPError {
  const seconds = Number(headers.get('Retry-After') ?? NaN);
  const retryAfter = Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
  const again = retryAfter === undefined ? '' : `; it asks to try again in ${retryAfter} s`;
  return new WHIPError(
    'REFUSED',
    `${at(request)} was answered with ${status}${meaning(status)}${told(headers, body)}${again}`,
    {
      ...{ status, retryAfter },
    },
  );
}

function meaning(status: number): string {
  switch (status) {
    case 401:
      return ': the token is missing or not valid';
    case 403:
      return ': the token does not allow it';
    case 404:
    case 410:
      return ': nothing is there';
    case 405:
      return ': this is not an endpoint of that kind';
    case 409:
      return ': nobody publishes there yet, or somebody else does';
    case 415:
      return ': it does not take descriptions';
    default:
      return status >= 500 ? ': the server has failed or has too much to do' : '';
  }
}

/** The reason that the server gives (RFC 9457), or the begin of a text for people. */
function told(headers: Headers, body: string): string {
  const type = headers.get('Content-Type') ?? '';
  if (/^application\/(problem\+)?json\b/i.test(type)) {
    try {
      const { detail, title } = JSON.parse(body) as { detail?: unknown; title?: unknown };
      const text = [detail, title].find((one) => typeof one === 'string');
      return text === undefined ? '' : ` (${text.slice(0, 200)})`;
    } catch {
      return '';
    }
  }
  return /^text\/plain\b/i.test(type) && body.trim() !== '' ? ` (${body.trim().slice(0, 200)})` : '';
}

async function textOf(response: Response, request: Request): Promise<string> {
  if (!response.body) return '';
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > MAX_BODY) {
      throw new WHIPError('PROTOCOL_ERROR', `${at(request)} was answered with more than ${MAX_BODY} bytes`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as { message?: unknown; cause?: { message?: unknown } };
  return String(cause?.message || message || error);
}
