"""Checks the golden slot with an independent implementation of SHM.md."""

import pathlib
import struct
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(1, str(ROOT / "tests" / "support"))

import shm  # noqa: E402
import wire  # noqa: E402

GOLDEN = wire.read_golden(ROOT / "proto" / "testdata" / "golden_slot.txt")
UPSTREAM = struct.unpack("<H", GOLDEN["upstream"])[0]


def golden_slot():
    return shm.Slot(GOLDEN["slot"].ljust(shm.SLOT_SIZE, b"\0"))


def test_derived_index_and_key_match_the_golden_slot():
    assert shm.derive(GOLDEN["map_id"], UPSTREAM, GOLDEN["token"]) == (GOLDEN["index"], GOLDEN["key"])


def test_golden_slot_opens_to_the_expected_claims():
    slot = golden_slot()
    assert slot.index == GOLDEN["index"]
    assert (slot.sequence // 2, slot.epoch, slot.upstream, slot.flags) == (0x0102030405, 5, 3, 1)
    assert (slot.confirmed_at, slot.lease_end) == (1_000_000_000_007, 1_005_000_000_011)
    assert slot.hard_end == 1_767_225_600_000_000_013
    assert slot.open(GOLDEN["key"]) == GOLDEN["claims"]
    assert wire.decode_claims(GOLDEN["claims"])[0] == b"user-123"


@pytest.mark.parametrize("at", [0, 8, 24, 32, 40, 48, 60, 62, 64, 80])
def test_slot_with_a_changed_byte_does_not_open(at):
    data = bytearray(golden_slot().data)
    data[at] ^= 2  # bit 1, because bit 0 of the sequence is not part of the publication number
    assert shm.Slot(bytes(data)).open(GOLDEN["key"]) is None
