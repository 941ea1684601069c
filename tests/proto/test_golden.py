"""The golden frames are what an independent reading of PROTOCOL.md makes of them."""

import os

import pytest

import golden_expected
from golden_expected import wire

PATH = os.path.join(os.path.dirname(__file__), "..", "..", "proto", "testdata", "golden_frames.txt")
GOLDEN = wire.read_golden(PATH)


def test_every_frame_has_its_meaning_and_the_other_way_round():
    assert set(GOLDEN) == set(golden_expected.FRAMES)


def test_every_message_has_two_frames():
    names = [name for name, _, _ in golden_expected.FRAMES.values()]
    assert {name for name in names if names.count(name) >= 2} == set(wire.MESSAGES)


@pytest.mark.parametrize("name", sorted(golden_expected.FRAMES))
def test_frame_decodes_to_its_meaning(name):
    message, request_id, fields = golden_expected.FRAMES[name]
    assert wire.encode(message, request_id, fields).hex() == GOLDEN[name].hex()
    decoded_message, decoded_id, decoded = wire.decode(GOLDEN[name])
    assert (decoded_message, decoded_id) == (message, request_id)
    assert {field: value for field, value in decoded.items() if value} == {
        field: value for field, value in fields.items() if value}


def test_claims_block_in_an_answer():
    _, _, fields = wire.decode(GOLDEN["answer_valid"])
    assert wire.decode_claims(fields["claims"]) == (
        b"user-123", b"tech@example.com", [b"rvt"], golden_expected.RAW)


@pytest.mark.parametrize("name", sorted(golden_expected.FRAMES))
def test_a_cut_frame_is_no_frame(name):
    frame = GOLDEN[name]
    for size in range(len(frame)):
        with pytest.raises(ValueError):
            wire.decode(frame[:size])
