"""Generates requests that proxies, claimsd and applications could read in different ways: spellings of header names and values, duplicates, folded lines, lengths,
chunks, pipelines, smuggled requests, hop-by-hop headers, huge ones, and paths."""

import random

FORGED = {"Id": "user-301", "Email": "ada@example.com", "Roles": "admin,doctor", "Truncated": "0"}
SEPARATORS = "-_.!~*'|"
PATHS = ("/records/1", "/records/1?x=/public/", "/public/1", "/worklist", "/", "//records/1", "/public/../records/1", "/public/%2e%2e/records/1", "/public/..%2frecords/1",
         "/public/..;/records/1", "/%72ecords/1", "/records%2f1", "/public\\..\\records/1", "/public/..%5crecords/1", "/public/%00/../records/1", "/./records//1",
         "http://site.example/records/1", "http://other.example/public/1", "/_claimsd/doctors", "/_claimsd/authenticated", "/records/1#/public/", "*")
METHODS = ("GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH")
ODD_METHODS = ("get", "G-ET", "CONNECT", "TRACE")
CODINGS = ("chunked", "Chunked", " chunked", "chunked ", "\tchunked", "identity", "chunked, identity", "identity, chunked", "xchunked", "chunked\x0b", '"chunked"', "gzip, chunked")
LENGTHS = ("{0}", "+{0}", "{0}, {0}", "0{0}", " {0}", "{0} ", "-1", "0x5", "{0};", "99999999999999999999", "")


class Corpus:
    """`tokens`: tokens to send, valid or not. The same seed gives the same requests."""

    def __init__(self, seed, tokens):
        self._random = random.Random(seed)
        self._tokens = tokens

    def next(self):
        """The bytes of one connection."""
        chance = self._random.random()
        meant = 1 if chance < 0.7 else self._random.randint(2, 4)
        data = b"".join(self._request(last=number == meant - 1) for number in range(meant))
        if self._random.random() < 0.05:
            data = self._damaged(data)
        return data

    def _pick(self, choices):
        return self._random.choice(choices)

    def _mostly(self, usual, odd, probability=0.05):
        return self._pick(odd if self._maybe(probability) else usual)

    def _maybe(self, probability):
        return self._random.random() < probability

    def _damaged(self, data):
        """With a byte in it that does not belong there."""
        at = self._random.randrange(len(data))
        return data[:at] + self._pick((b"\0", b"\r", b"\n", b"\x0b", b"\x85", b" ", b"\r\n", b":")) + data[at:]

    def _cased(self, name):
        return self._pick((name, name.lower(), name.upper(), "".join(self._pick((letter.lower(), letter.upper())) for letter in name)))

    def _forged(self):
        """Lines with an identity that claimsd did not give."""
        lines = []
        for _ in range(self._random.randint(0, 4)):
            last = self._pick(tuple(FORGED))
            name = self._cased(f"X{self._pick(SEPARATORS)}Claims{self._pick(SEPARATORS)}{last}" if self._maybe(0.6) else f"X-Claims-{last}")
            value = self._pick((FORGED[last], FORGED[last], "", "user-301\tadmin", "x" * 1000))
            form = self._mostly(("{}: {}", "{}:{}", "{}:\t{} "), ("{} : {}", " {}: {}", "{}\t: {}", "{}:\r\n {}", "{}: a\r\n\t{}", "Fold: a\r\n {}: {}", "{}\0: {}", "Fold: b\n{}: {}", "Fold: c\r{}: {}"))
            lines += [form.format(name, value)] * self._pick((1, 1, 1, 2))
        return lines

    def _authorization(self):
        chance = self._random.random()
        token = self._pick(self._tokens)
        if chance < 0.8:
            return [f"Authorization: Bearer {token}"]
        if chance < 0.85:
            return []
        other = self._pick(self._tokens)
        return self._pick((
            [f"Authorization: Bearer {token}", f"Authorization: Bearer {other}"], [f"authorization: bearer {token}"], [f"AUTHORIZATION:Bearer  {token} "],
            [f"Authorization : Bearer {token}"], [f"Authorization:\r\n Bearer {token}"], [f"Authorization: Bearer {token}, Bearer {other}"],
            [f"Authorization: Bearer {token}\r\n {other}"], [f"X-Authorization: Bearer {token}"], [f"Authorization_: Bearer {token}"], [f"Authorization: Basic {token}"],
            [f"Authorization: Bearer {token}", "Connection: Authorization"], [f"Authorization: Bearer {token}\t"], ["Authorization: Bearer "], [f"Authorization: Bearer {token}\0"]))

    def _hop_by_hop(self):
        if not self._maybe(0.1):
            return []
        return [self._pick(("Connection: keep-alive, X-Claims-Id", "Connection: X-Claims-Roles, X-Claims-Id", "Connection: X_Claims_Id", "Upgrade: websocket\r\nConnection: upgrade", "TE: trailers",
                            "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Uri: /public/", "X-Original-URL: /public/1", "X-Rewrite-URL: /public/1", "X-HTTP-Method-Override: PUT",
                            "Expect: 100-continue", "Trailer: X-Claims-Id", "Forwarded: for=127.0.0.1", "Host: second.example"))]

    def _huge(self):
        if not self._maybe(0.04):
            return []
        return self._pick((["Cookie: " + "c" * self._random.randint(1000, 70_000)], [f"X-Filler-{number}: {number}" for number in range(self._random.randint(50, 200))]))

    def _smuggled(self):
        token = self._pick(self._tokens + ["forged"])
        return (f"GET {self._pick(PATHS)} HTTP/1.1\r\nHost: site.example\r\nX-Claims-Id: user-301\r\nX-Claims-Roles: admin,doctor\r\nAuthorization: Bearer {token}\r\n\r\n").encode()

    def _body(self):
        """Lines and bytes of a body, whose lengths may contradict each other."""
        if self._maybe(0.6):
            return [], b""
        if self._maybe(0.5):
            body = self._pick((b"hello", self._smuggled()))
            return self._pick(((["Content-Length: %d" % len(body)], body), (["Transfer-Encoding: chunked"], b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))))
        body = self._pick((b"hello", b"", self._smuggled(), b"0\r\n\r\n" + self._smuggled()))
        chunks = b"%x\r\n%s\r\n0\r\n" % (len(body), body) + self._pick((b"\r\n", b"X-Claims-Id: user-301\r\n\r\n", b"\r\n" + self._smuggled())) if body else b"0\r\n\r\n"
        length = [f"Content-Length: {self._pick(LENGTHS).format(len(body))}"]
        coding = [f"Transfer-Encoding:{self._pick(CODINGS)}"]
        return self._pick((([f"Content-Length: {len(body)}"], body), (["Transfer-Encoding: chunked"], chunks), (length, body), (coding, chunks), (length + coding, chunks),
                           (coding + length, body), (coding * 2, chunks), (length * 2, body), ([*length, "Content-Length: 0"], body), ([f"Content_Length: {len(body)}"], body),
                           ([f"Transfer_Encoding: {len(body)}", *length], body), ([], body)))

    def _request(self, last):
        lines = self._forged() + self._authorization() + self._hop_by_hop() + self._huge()
        length, body = self._body()
        lines += length
        if last:
            lines.append("Connection: close")
        self._random.shuffle(lines)
        lines.insert(0, self._mostly(("Host: site.example", "host:site.example", "Host: claimsd"), ("Host: a\r\nHost: b", "", "Host: ", "Host: a b")))
        end = self._mostly(("\r\n",), ("\n",), 0.02)
        version = self._mostly(("HTTP/1.1",), ("HTTP/1.0", "http/1.1", "HTTP/1.2", "HTTP/2.0", "HTTP/0.9"))
        first = f"{self._mostly(METHODS, ODD_METHODS, 0.03)}{self._mostly((' ',), ('  ', chr(9)), 0.02)}{self._mostly(PATHS[:4], PATHS, 0.4)} {version}"
        return end.join([first, *lines, "", ""]).encode("latin-1") + body
