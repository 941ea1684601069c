"""A Peer that requests the lease map and keeps it."""

import os

import wire
from peer import Peer
from shm import Map

SHARED_MAP = 1 << 0


class MapPeer(Peer):
    """`welcome`: fields of Welcome; `descriptor`: the one that came with it, or None; `map`: a
    mapping of it."""

    def __init__(self, path, upstream="", features=SHARED_MAP):
        super().__init__(path, hello=False)
        self.send("Hello", version_min=wire.VERSION, version_max=wire.VERSION, features=features, client_name=b"map-peer",
                  upstream_url=upstream.encode())
        # The descriptor is attached to the first byte of the first frame, so the first read
        # receives it.
        self._received, self.descriptors = wire.receive_with_descriptors(self.socket)
        self.descriptor = self.descriptors[0] if self.descriptors else None
        self.map = Map(self.descriptor) if self.descriptors else None
        name, _, self.welcome = self.receive()
        assert name == "Welcome", name

    def lease(self, token):
        """What a lookup finds in the map now; None: nothing."""
        return self.map.find(token, self.welcome["upstream_id"])

    def close(self):
        if self.map:
            self.map.close()
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptors = []
        super().close()
