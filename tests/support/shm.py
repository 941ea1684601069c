"""A second implementation of the lease map, written from SHM.md alone in plain Python: a bug in
proto/ cannot hide in its own tests.

Reads like a slow worker. Decryption uses `cryptography` (Debian's python3-cryptography).
"""

import hashlib
import mmap
import os
import struct
import time

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HEADER_SIZE, SLOT_SIZE, WAYS = 4096, 1024, 4
CLEAR_SIZE, TAG_AT, TEXT_AT = 64, 64, 80
HEARTBEAT_LIMIT = 2_000_000_000
NO_HARD_END = 2**63 - 1
BLOCK = 16


def derive(map_id, upstream, token):
    """(index, key) of a token."""
    key = hashlib.sha256(struct.pack(">I", 1) + token + map_id + struct.pack("<H", upstream)).digest()
    return hashlib.sha256(struct.pack(">I", 2) + key).digest()[:16], key


class Slot:
    """A copy of one slot."""

    def __init__(self, data):
        self.data = data
        (self.sequence, self.index, self.confirmed_at, self.lease_end, self.hard_end, self.epoch, self.size,
         self.upstream, self.flags) = struct.unpack_from("<Q16sQQQQIHH", data)

    def is_empty(self):
        return self.index == bytes(16)

    def open(self, key):
        """The claims block; None if it was not sealed with this key."""
        nonce = bytes(4) + struct.pack("<Q", self.sequence // 2)
        tag, text = self.data[TAG_AT:TEXT_AT], self.data[TEXT_AT:TEXT_AT + -(-self.size // BLOCK) * BLOCK]
        try:
            return AESGCM(key).decrypt(nonce, text + tag, self.data[:CLEAR_SIZE])[:self.size]
        except InvalidTag:
            return None


class Map:
    """A mapping of a descriptor from the daemon. The caller keeps the descriptor."""

    def __init__(self, descriptor):
        self.memory = mmap.mmap(descriptor, 0, mmap.MAP_SHARED, mmap.PROT_READ)
        (self.magic, self.version, self.slot_size, self.slot_count, self.map_id, self.boot_id) = struct.unpack_from(
            "<8sIIQ16s16s", self.memory)
        assert (self.magic, self.version, self.slot_size) == (b"CLMDMAP1", 4, SLOT_SIZE)
        assert len(self.memory) == HEADER_SIZE + self.slot_count * SLOT_SIZE

    def heartbeat(self):
        return struct.unpack_from("<Q", self.memory, 64)[0]

    def epoch(self):
        return struct.unpack_from("<Q", self.memory, 72)[0]

    def is_believed(self):
        beat = self.heartbeat()
        return beat != 0 and time.clock_gettime_ns(time.CLOCK_BOOTTIME) - beat <= HEARTBEAT_LIMIT

    def slot(self, number):
        at = HEADER_SIZE + number * SLOT_SIZE
        while True:
            copy = Slot(self.memory[at:at + SLOT_SIZE])
            if copy.sequence % 2 == 0 and struct.unpack_from("<Q", self.memory, at)[0] == copy.sequence:
                return copy

    def used(self):
        return sum(not self.slot(number).is_empty() for number in range(self.slot_count))

    def find(self, token, upstream=0):
        """(slot, claims block) that a lookup finds now; None: it would query the daemon."""
        token = token if isinstance(token, bytes) else token.encode()
        index, key = derive(self.map_id, upstream, token)
        first = struct.unpack_from("<Q", index)[0] % (self.slot_count // WAYS) * WAYS
        for number in range(first, first + WAYS):
            slot = self.slot(number)
            if slot.index == index and self._is_fresh(slot, upstream):
                claims = slot.open(key)
                if claims is not None:
                    return slot, claims
        return None

    def _is_fresh(self, slot, upstream):
        return (self.is_believed() and slot.epoch == self.epoch() and slot.upstream == upstream
                and slot.lease_end > time.clock_gettime_ns(time.CLOCK_BOOTTIME)
                and slot.hard_end > time.time_ns())

    def bytes(self):
        return self.memory[:]

    def close(self):
        self.memory.close()


def identity(descriptor):
    """Identifies a map."""
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino
