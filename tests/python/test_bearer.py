"""Authorization headers: tokens, other schemes and malformed headers, parsed alike in C++ and in Python."""

import pathlib
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from auth_integration import _claimsd, bearer, reasons

VOCABULARY = pathlib.Path(__file__).resolve().parents[2] / "proto" / "vocabulary.h"
LIMITS = pathlib.Path(__file__).resolve().parents[2] / "proto" / "limits.h"


def both(header):
    """The result of both parsers, which must be the same."""
    python, native = bearer.parse_bearer(header), _claimsd.parse_bearer(header)
    if isinstance(python, bearer.Refused):
        python = (python.reason,)
    assert python == native, header
    return native


@pytest.mark.parametrize("header", ["Bearer abc", "bearer abc", "BEARER abc", "bEaReR abc", "Bearer   abc", "  Bearer abc \t"])
def test_the_scheme_is_case_insensitive_and_surrounding_spaces_are_ignored(header):
    assert both(header) == "abc"


@pytest.mark.parametrize("header", ["Basic dXNlcjpwYXNz", "Token abc", "Bearertoken abc", "Negotiate", "Digest a=\"b\"", "Bearer-X abc", "Bearé abc"])
def test_another_scheme_is_not_a_bearer_token(header):
    assert both(header) is None


@pytest.mark.parametrize("header", [
    "", " ", "\t", "Bearer", "Bearer ", "bearer\t", "Bearer a b", "Bearer a,Bearer b", "Bearer a, b", "Bearer tok\xe9n", "Bearer \u2603",
    "Bearer \ud800", "Bearer a\0b", "Bearer\0", "Bearer\tabc", "Bearer a\nb", "Bearer a\r\nX: y", "Bearer:abc",
    "Bearer\xe9 abc", "Basic \0", "\u2603", "\x7f"])
def test_a_broken_header_is_malformed(header):
    assert both(header) == ("malformed",)


@pytest.mark.parametrize("token", ["1|Wl8hN2", "00D5f000000!AQ4AQ", "a:b:c", "=", "a=b", "{}", '"abc"', "a,b"])
def test_a_token_may_have_any_visible_ascii_character(token):
    assert both(f"Bearer {token}") == token


def test_32_kib_is_the_longest_token():
    assert both("Bearer " + "x" * 32768) == "x" * 32768
    assert both("Bearer " + "x" * 32769) == ("too_long",)
    assert f"kMaxToken = {bearer.MAX_TOKEN // 1024} * 1024" in LIMITS.read_text()


def test_visible_ascii_is_accepted_and_nothing_else():
    for code in range(0x180):
        visible = 0x20 < code < 0x7F
        for before in (0, 1, 7, 15, 16, 17, 40):  # they are looked at sixteen at once
            token = "x" * before + chr(code) + "x"
            assert (both("Bearer " + token) == token) == visible or chr(code) == " ", (code, before)


@settings(max_examples=3000, deadline=None)
@given(st.one_of(
    st.text(),
    st.builds("{}{}{}".format, st.sampled_from(["Bearer", "bearer", "BEARER", "Basic", " Bearer", "Bear"]),
              st.text(" \t\0\xa0,=:", max_size=3), st.text(st.characters(max_codepoint=0x250), max_size=30)),
    st.builds("Bearer {}".format, st.text("abcXYZ019-._~+/= ,\t", max_size=40))))
@example("Bearer " + "a" * 32769 + "\u2603")
@example("Bearer " + "\xe9" * 4097)
def test_the_extension_and_python_parse_every_header_alike(header):
    both(header)


def test_the_table_of_reasons_matches_the_protocol():
    rows = re.findall(r'R\(k\w+,\s*\d+,\s*"(\w+)",\s*k(\w+),\s*"((?:[^"\\]|\\.)*)"\)', VOCABULARY.read_text())
    assert len(rows) > 20
    assert reasons.REASONS == {name: (verdict.lower(), text.replace('\\"', '"')) for name, verdict, text in rows}


def test_an_unknown_reason_is_unavailable():
    assert reasons.answer_of("of the future").verdict == "unavailable"
