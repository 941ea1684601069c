"""Checks the golden frames with an independent implementation of PROTOCOL.md."""

import os

import pytest

import golden_expected
from golden_expected import wire

PATH = os.path.join(os.path.dirname(__file__), "..", "..", "proto", "testdata", "golden_frames.txt")
GOLDEN = wire.read_golden(PATH)


def test_golden_frames_and_expected_frames_have_the_same_names():
    assert set(GOLDEN) == set(golden_expected.FRAMES)


def test_every_message_has_at_least_two_frames():
    names = [name for name, _, _ in golden_expected.FRAMES.values()]
    assert {name for name in names if names.count(name) >= 2} == set(wire.MESSAGES)


@pytest.mark.parametrize("name", sorted(golden_expected.FRAMES))
def test_frame_encodes_and_decodes_as_expected(name):
    message, request_id, fields = golden_expected.FRAMES[name]
    assert wire.encode(message, request_id, fields).hex() == GOLDEN[name].hex()
    decoded_message, decoded_id, decoded = wire.decode(GOLDEN[name])
    assert (decoded_message, decoded_id) == (message, request_id)
    assert {field: value for field, value in decoded.items() if value} == {
        field: value for field, value in fields.items() if value}


def test_claims_block_of_an_answer_decodes_as_expected():
    _, _, fields = wire.decode(GOLDEN["answer_valid"])
    assert wire.decode_claims(fields["claims"]) == (
        b"user-123", b"tech@example.com", [b"rvt"], golden_expected.RAW)


@pytest.mark.parametrize("name", sorted(golden_expected.FRAMES))
def test_truncated_frame_is_rejected(name):
    frame = GOLDEN[name]
    for size in range(len(frame)):
        with pytest.raises(ValueError):
            wire.decode(frame[:size])
