// express.js: middleware for Express: app.get('/records', gate('doctors'), handler). The handler finds the user in request.user.
'use strict';
const { check } = require('./claimsd.js');

function gate(name, options) {
  return async (request, response, next) => {
    const traceparent = request.headers.traceparent;
    const answer = await check(name, request.headers.authorization, { traceparent, ...options });
    if (answer.status === 200) {
      request.user = { id: answer.id, email: answer.email, roles: answer.roles };
      next();
      return;
    }
    if (answer.status === 401) response.setHeader('WWW-Authenticate', answer.challenge);
    if (answer.status === 503) response.setHeader('Retry-After', answer.retryAfter);
    response.statusCode = answer.status;
    response.end();
  };
}

module.exports = { gate };
