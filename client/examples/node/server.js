// server.js: a backend with one gated page. CLAIMSD_SOCKET and PORT replace the defaults.
'use strict';
const http = require('node:http');
const { check } = require('./claimsd.js');

const socketPath = process.env.CLAIMSD_SOCKET;

const server = http.createServer(async (request, response) => {
  const answer = await check('doctors', request.headers.authorization, { socketPath });
  if (answer.status === 401) response.setHeader('WWW-Authenticate', answer.challenge);
  if (answer.status === 503) response.setHeader('Retry-After', answer.retryAfter);
  response.writeHead(answer.status);
  response.end(answer.status === 200 ? `hello, ${answer.email}\n` : undefined);
});
server.listen(Number(process.env.PORT ?? 8000), '127.0.0.1', () => console.log(server.address().port));
