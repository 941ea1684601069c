// claimsd.js: asks claimsd which user a bearer token belongs to, over its HTTP socket. Node 18 or newer, no packages.
'use strict';
const http = require('node:http');

const agent = new http.Agent({ keepAlive: true, maxSockets: 64, maxFreeSockets: 16 });

// check() never rejects. It resolves to one of
//   {status: 200, id, email, roles}       a valid token of a user with a role of the gate
//   {status: 401, challenge}              no token, or a rejected one: the user must log in; `challenge` is for WWW-Authenticate
//   {status: 403}                         the user has none of the gate's roles
//   {status: 503, retryAfter}             no verdict, for any reason: never let the request in, never answer 401
// `authorization`: the request's Authorization header. `timeout`: of the whole check, in milliseconds.
function check(gate, authorization, { socketPath = '/run/claimsd/http.sock', timeout = 5000, traceparent } = {}) {
  const headers = {};
  if (authorization) headers.authorization = authorization;
  if (traceparent) headers.traceparent = traceparent;
  return new Promise((resolve) => {
    const unavailable = (retryAfter = 1) => resolve({ status: 503, retryAfter });
    const deadline = AbortSignal.timeout(timeout);
    const ask = () => {
      const request = http.get({ socketPath, agent, headers, path: `/v1/auth/${encodeURIComponent(gate)}`, signal: deadline }, (response) => {
        response.resume(); // to the end, so that the connection is kept
        const field = (name) => decodeURIComponent(response.headers[name] ?? '');
        if (response.statusCode === 200) {
          const roles = (response.headers['x-claims-roles'] ?? '').split(',').filter(Boolean).map(decodeURIComponent);
          resolve({ status: 200, id: field('x-claims-id'), email: field('x-claims-email'), roles });
        } else if (response.statusCode === 401) {
          resolve({ status: 401, challenge: response.headers['www-authenticate'] });
        } else if (response.statusCode === 403) {
          resolve({ status: 403 });
        } else {
          unavailable(Number(response.headers['retry-after'] ?? 1));
        }
      });
      // claimsd may close a connection that was kept, just when it is used again.
      request.on('error', (error) => (request.reusedSocket && error.code === 'ECONNRESET' ? ask() : unavailable()));
    };
    try {
      ask();
    } catch {
      unavailable(); // such as an Authorization header with a character that HTTP does not allow
    }
  });
}

module.exports = { check };
