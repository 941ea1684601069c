"""The endpoints with which a test inspects and controls the server. They are never recorded.

    GET  /_seen?mode=MODE     {count, in_flight, concurrent_max, connections, early, last}
    GET  /_wait?mode=MODE[&count=N][&in_flight=N][&timeout_ms=N]
                              the same once count >= N and in_flight == N; 504 after the timeout
    GET  /_trap               {connections, bytes, contains_bearer} of the proxy trap
    GET  /_modes              the table of modes as JSON
    POST /_open[?mode=MODE]   releases the requests held by all gates, or by that one
    POST /_close              closes all gates again
    POST /_door?open=0|1      the listeners "door" and "https_door" drop and refuse connections, or
                              accept again
    POST /_rotate?server=DIR&clients=DIR,DIR
                              new connections of https_rotating get the certificate in that
                              directory of --tls-dir ("" or "next") and accept clients of those
                              authorities
    POST /_forget?mode=MODE   clears the record of that mode only
    POST /_script/NAME        JSON list of answers for /script-NAME (see modes_controlled.py)
    POST /_deploy             connections made until now lead to the old instance: see the modes old-*
    POST /_http2?old=silent|goaway
                              what HTTP/2 connections made until now do from now on (http2.py)
    GET  /_http2              {requests, connections, old} of https_http2
    POST /_reset              clears records, scripts and trap; closes the gates
"""

import json
import urllib.parse

from plumbing import response


def answer_json(exchange, value, status=200):
    exchange.send(response(status, json.dumps(value).encode()))


class Control:
    def __init__(self, list_modes):
        self._list_modes = list_modes

    def dispatch(self, exchange):
        request, state = exchange.request, exchange.state
        query = dict(urllib.parse.parse_qsl(request.query))
        asked = f"{request.method.decode('latin-1')} {request.path}"
        if asked == "GET /_seen":
            return answer_json(exchange, state.record(query.get("mode", "")).as_json())
        if asked == "GET /_wait":
            return self._wait(exchange, query)
        if asked == "GET /_trap":
            return answer_json(exchange, state.trap.as_json())
        if asked == "GET /_http2":
            return answer_json(exchange, state.http2)
        if asked == "GET /_modes":
            return answer_json(exchange, self._list_modes())
        if asked == "POST /_open":
            state.open_gates(query.get("mode"))
        elif asked == "POST /_close":
            state.close_gates()
        elif asked == "POST /_door":
            return self._door(exchange, query)
        elif asked == "POST /_rotate":
            return self._rotate(exchange, query)
        elif asked == "POST /_forget":
            state.records.pop(query.get("mode"), None)
        elif asked == "POST /_deploy":
            state.deploy()
        elif asked == "POST /_http2":
            state.http2["old"] = query["old"]
            state.deploy()
        elif asked == "POST /_reset":
            state.reset()
        elif asked.startswith("POST /_script/"):
            return self._script(exchange)
        else:
            return answer_json(exchange, {"error": f"no such control request: {asked}"}, 404)
        return answer_json(exchange, {})

    async def _wait(self, exchange, query):
        state, mode = exchange.state, query.get("mode", "")
        count, in_flight = int(query.get("count", 0)), query.get("in_flight")

        def holds():
            record = state.record(mode)
            enough = record.count >= count
            return enough and (in_flight is None or record.in_flight == int(in_flight))

        held = await state.until(holds, float(query.get("timeout_ms", 10000)) / 1000)
        answer_json(exchange, state.record(mode).as_json(), 200 if held else 504)

    @staticmethod
    async def _door(exchange, query):
        for door in exchange.state.doors:
            if query["open"] == "1":
                await door.open()
            else:
                door.shut()
        answer_json(exchange, {})

    @staticmethod
    async def _rotate(exchange, query):
        await exchange.state.rotating.rotate(query.get("server", ""), query.get("clients", "").split(","))
        answer_json(exchange, {})

    @staticmethod
    def _script(exchange):
        name = exchange.request.path.split("/", 2)[2]
        try:
            steps = json.loads(exchange.request.body)
        except ValueError:
            steps = None
        good = isinstance(steps, list) and steps and all(isinstance(step, dict) for step in steps)
        if not good:
            return answer_json(exchange, {"error": "a script is a JSON list of objects"}, 400)
        exchange.state.scripts[name] = steps
        return answer_json(exchange, {})
