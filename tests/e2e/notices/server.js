// server.js: the notices of the laboratory, a second backend behind the same login. It contains no code for tokens: nginx asks
// claimsd about each request (auth_request) and passes the user on in X-Claims-* headers.
//
//   GET  /notices/       {"notices": [{text, at, role, own}, ...], "may_write"}; newest first
//   POST /notices/add/   {"text": "..."}; only for roles of the gate "clinicians"
//
// Usage: server.js SOCKET ROLE,ROLE,... (who may write, for the page). Only nginx may reach SOCKET. Notices are kept in memory.
'use strict';
const http = require('node:http');

const [socketPath, writers] = process.argv.slice(2);
const LONGEST_TEXT = 200;
const LONGEST_BODY = 4096; // bytes
const MOST_NOTICES = 20;

const notices = [{ text: 'Room 2: the linear probe is back from repair.', at: new Date().toISOString(), role: 'admin', author: '' }];

// The user that nginx names, or null without one: then the request did not come through auth_request.
function userOf(headers) {
  const id = decodeURIComponent(headers['x-claims-id'] ?? '');
  const roles = (headers['x-claims-roles'] ?? '').split(',').filter(Boolean).map(decodeURIComponent);
  return id === '' ? null : { id, roles };
}

function shown(user) {
  return {
    notices: notices.map(({ text, at, role, author }) => ({ text, at, role, own: author === user.id })),
    may_write: user.roles.some((role) => writers.split(',').includes(role)),
  };
}

async function textIn(request) {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > LONGEST_BODY) return null;
    parts.push(part);
  }
  try {
    const { text } = JSON.parse(Buffer.concat(parts).toString());
    const trimmed = typeof text === 'string' ? text.trim() : '';
    return trimmed !== '' && trimmed.length <= LONGEST_TEXT ? trimmed : null;
  } catch {
    return null; // not JSON
  }
}

async function answer(request) {
  const user = userOf(request.headers);
  if (user === null) return [401, { detail: 'Ask through nginx.' }];
  if (request.method === 'GET' && request.url === '/notices/') return [200, shown(user)];
  if (request.method !== 'POST' || request.url !== '/notices/add/') return [404, { detail: 'No such page.' }];
  const text = await textIn(request);
  if (text === null) return [400, { detail: `A notice has 1 to ${LONGEST_TEXT} characters.` }];
  notices.unshift({ text, at: new Date().toISOString(), role: user.roles[0] ?? '', author: user.id });
  notices.length = Math.min(notices.length, MOST_NOTICES);
  return [200, shown(user)];
}

const server = http.createServer(async (request, response) => {
  let status = 400;
  let body = { detail: 'This request could not be read.' };
  try {
    [status, body] = await answer(request);
  } catch {
    // such as a client that left in the middle of its request
  }
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
});
server.listen(socketPath, () => console.log('ready'));
