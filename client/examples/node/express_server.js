// express_server.js: server.js with Express.
'use strict';
const express = require('express');
const { gate } = require('./express.js');

const app = express();
app.get('/', gate('doctors', { socketPath: process.env.CLAIMSD_SOCKET }), (request, response) => {
  response.send(`hello, ${request.user.email}\n`);
});
const server = app.listen(Number(process.env.PORT ?? 8000), '127.0.0.1', () => console.log(server.address().port));
