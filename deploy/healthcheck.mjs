// Ends with 0 if the signaling server with the settings of this environment serves, otherwise with 1 and the reason.
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

const {
  OSSA_SIGNAL_HOST: host,
  OSSA_SIGNAL_PORT: port,
  OSSA_SIGNAL_PATH: path,
  OSSA_SIGNAL_TLS_CERT: tls,
} = process.env;
const request = tls ? httpsRequest : httpRequest;
const asked = request({
  host: !host || host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host,
  port: port || 8080,
  path: `${(path ?? '').replace(/\/$/, '')}/health`,
  // The certificate is for other names than this one.
  rejectUnauthorized: false,
  timeout: 4000,
});
asked.on('response', ({ statusCode }) => end(statusCode === 200 ? undefined : `HTTP ${statusCode}`));
asked.on('timeout', () => end('no answer in 4 s'));
asked.on('error', ({ message }) => end(message));
asked.end();

/** @param {string | undefined} problem */
function end(problem) {
  if (problem !== undefined) console.error(problem);
  process.exit(problem === undefined ? 0 : 1);
}
