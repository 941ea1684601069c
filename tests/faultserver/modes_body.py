"""Modes with unusual bodies of a 200. Claims are valid only as an object with an id and roles of the
right types; other claims decide nothing."""

from mode import CLAIMS, OTHER_CLAIMS, UNAVAILABLE, VALID, says

NAMED = b'"email":"tess@example.com","role":"rvt"}'


def with_id(value):
    """Valid claims, except for the raw JSON of the id."""
    return b'{"id":' + value + b"," + NAMED


def with_role(value):
    """Valid claims, except for the raw JSON of the role."""
    return CLAIMS.replace(b'"rvt"', value)


def with_extra(value):
    """Valid claims with one more member of that raw JSON."""
    return CLAIMS[:-1] + b',"extra":' + value + b"}"


def _good():
    extra = b'{"deep":{"list":[1,2.5,true,null,"\\u00e9"]}}'
    yield "claims-extra", "additional claims of any type", with_extra(extra)
    yield "claims-role-list", "role is a list of strings", with_role(b'["rvt","admin"]')
    yield "claims-unicode", "UTF-8 in the id", with_id('"użytkownik-123"'.encode())
    yield "id-number", "id is an integer: its digits are the id", with_id(b"123")
    yield "email-object", "email is an object: the user has none", CLAIMS.replace(b'"tess@example.com"', b"{}")
    yield "email-number", "email is a number: the user has none", CLAIMS.replace(b'"tess@example.com"', b"1")
    yield "number-huge", "1e999999 in another claim", with_extra(b"1e999999")
    yield "number-long", "an integer of 400 digits in another claim", with_extra(b"1" * 400)
    yield "extra-lines", "an address of several lines", with_extra(b'{"formatted":"1 High Street\\r\\nTown\\tUK"}')
    yield "extra-nul", "an escaped NUL in another claim", with_extra(b'"a\\u0000b"')
    yield "extra-lone-surrogate", "a lone surrogate in another claim", with_extra(b'"\\ud800"')
    yield "extra-twice", "another claim twice", with_extra(b'1,"extra":2')
    yield "extra-90k", "an avatar of 90 KiB", with_extra(b'"' + b"A" * 92160 + b'"')
    yield "claims-whitespace", "whitespace around the document", b" \r\n\t" + CLAIMS + b"\n"


def _wrong_types():
    yield "id-missing", "no id", b"{" + NAMED
    yield "id-null", "id is null", with_id(b"null")
    yield "id-empty", 'id is ""', with_id(b'""')
    yield "id-fraction", "id is 1.5", with_id(b"1.5")
    yield "id-long", "id is an integer of 21 digits", with_id(b"1" * 21)
    yield "id-bool", "id is true", with_id(b"true")
    yield "id-object", "id is an object", with_id(b'{"value":"user-123"}')
    yield "role-number", "role is a number", with_role(b"1")
    yield "role-object", "role is an object", with_role(b'{"rvt":true}')
    yield "role-array-of-numbers", "role is [1, 2]", with_role(b"[1,2]")
    yield "role-array-mixed", 'role is ["rvt", 1]', with_role(b'["rvt",1]')
    yield "top-level-array", "claims in an array", b"[" + CLAIMS + b"]"
    yield "top-level-string", "claims in a string", b'"user-123"'
    yield "top-level-null", "null", b"null"
    yield "object-empty", "{}", b"{}"


def _bad_strings():
    yield "id-nul", "escaped NUL in the id", with_id(b'"user-123\\u0000x"')
    yield "id-crlf", "escaped CR LF in the id", with_id(b'"user-123\\r\\nX-Role: admin"')
    yield "id-control", "escaped control character in the id", with_id(b'"user-\\u001b[2J"')
    yield "id-raw-nul", "a raw NUL in the id", with_id(b'"user-123\x00x"')
    yield "id-raw-newline", "a raw line feed in the id", with_id(b'"user-123\nx"')
    yield "id-bad-utf8", "invalid UTF-8 in the id", with_id(b'"user-\xc3\x28"')
    yield "id-overlong-utf8", "an overlong slash in the id", with_id(b'"user-\xc0\xaf"')
    yield "id-lone-surrogate", "a lone surrogate in the id", with_id(b'"user-\\ud800"')


def _bad_documents():
    yield "duplicate-id", "two different ids", CLAIMS[:-1] + b',"id":"user-666"}'
    escaped = b',"\\u0069d":"user-666"}'
    yield "duplicate-id-escaped", "two different ids, one name escaped", CLAIMS[:-1] + escaped
    yield "duplicate-role", "two different roles", CLAIMS[:-1] + b',"role":"admin"}'
    yield "two-documents", "two documents", CLAIMS + b"\n" + OTHER_CLAIMS
    yield "trailing-garbage", "an extra brace at the end", CLAIMS + b"}"
    yield "trailing-comma", "a trailing comma", CLAIMS[:-1] + b",}"
    yield "truncated-json", "a truncated document with a correct Content-Length", CLAIMS[:30]
    yield "bad-atom", "an invalid literal", with_extra(b"tru")
    yield "number-nan", "NaN", with_extra(b"NaN")
    yield "single-quotes", "single quotes instead of double quotes", CLAIMS.replace(b'"', b"'")
    yield "deep-1000", "arrays 1,000 deep", with_extra(b"[" * 1000 + b"]" * 1000)
    yield "deep-30000", "arrays 30,000 deep, below 64 KiB", with_extra(b"[" * 30000 + b"]" * 30000)
    yield "deep-100000", "arrays 100,000 deep", with_extra(b"[" * 100000 + b"]" * 100000)


def _rows(verdict, *groups):
    for group in groups:
        for name, does, body in group():
            yield says(name, does, verdict, body)


MODES = [*_rows(VALID, _good), *_rows(UNAVAILABLE, _wrong_types, _bad_strings, _bad_documents)]
