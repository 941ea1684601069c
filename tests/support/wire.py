"""A second implementation of the wire protocol, written from PROTOCOL.md alone in plain Python: a
bug in proto/ cannot hide in its own tests.

A message is (type name, request id, {field: value}); byte fields are bytes. Standard library
only.
"""

import array
import socket
import struct

HEADER = struct.Struct("<IHHI")
MAX_PAYLOAD = 96 * 1024
VERSION = 2

# name: (type code, [(field, struct format of an integer, or "s" and the format of a string's
# length)])
MESSAGES = {
    "Hello": (0x0001, [("version_min", "H"), ("version_max", "H"), ("features", "Q"),
                       ("client_name", "sH"), ("upstream_url", "sH")]),
    "Welcome": (0x8001, [("version", "H"), ("features", "Q"), ("boot_time_ns", "Q"),
                         ("daemon_version", "sH"), ("upstream_name", "sH"),
                         ("upstream_id", "H")]),
    "Failure": (0x8002, [("code", "H"), ("text", "sH")]),
    "Ping": (0x0003, [("echo", "Q")]),
    "Pong": (0x8003, [("echo", "Q")]),
    "Query": (0x0010, [("timeout_ms", "I"), ("max_age_ms", "I"), ("local_hits", "I"), ("token", "sH"),
                       ("client_address", "sH"), ("trace_id", "sH"), ("route", "sH")]),
    "Answer": (0x8010, [("verdict", "B"), ("source", "B"), ("reason", "H"), ("flags", "H"),
                        ("age_ms", "I"), ("ttl_ms", "I"), ("retry_after_ms", "I"),
                        ("claims", "sI")]),
    "Report": (0x0011, [("timeout_ms", "I"), ("unacknowledged", "I"), ("status", "H"), ("reason", "H"), ("token", "sH"),
                        ("user", "sH"), ("method", "sH"), ("route", "sH"), ("required", "sH"),
                        ("client_address", "sH"), ("trace_id", "sH")]),
    "Receipt": (0x8011, [("reason", "H")]),
}
NAMES = {code: name for name, (code, _) in MESSAGES.items()}


def encode(name, request_id, fields):
    """One frame. Missing fields are 0 or empty."""
    code, layout = MESSAGES[name]
    unknown = set(fields) - {field for field, _ in layout}
    if unknown:
        raise ValueError(f"{name} has no field {sorted(unknown)}")
    payload = b""
    for field, kind in layout:
        if kind.startswith("s"):
            text = fields.get(field, b"")
            payload += struct.pack("<" + kind[1], len(text)) + text
        else:
            payload += struct.pack("<" + kind, fields.get(field, 0))
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"{name} of {len(payload)} bytes is larger than the limit of a payload")
    return HEADER.pack(len(payload), code, 0, request_id) + payload


def decode(frame):
    """(name, request id, fields) of exactly one frame; ValueError otherwise."""
    if len(frame) < HEADER.size:
        raise ValueError("shorter than a header")
    size, code, flags, request_id = HEADER.unpack_from(frame)
    payload = frame[HEADER.size:]
    if flags or size != len(payload) or code not in NAMES:
        raise ValueError("not one frame")
    fields = {}
    for field, kind in MESSAGES[NAMES[code]][1]:
        form = struct.Struct("<" + kind[-1])
        if not payload:  # an older peer did not know the remaining fields
            fields[field] = b"" if kind.startswith("s") else 0
            continue
        if len(payload) < form.size:
            raise ValueError(f"truncated in {field}")
        (value,) = form.unpack_from(payload)
        payload = payload[form.size:]
        if kind.startswith("s"):
            if len(payload) < value:
                raise ValueError(f"truncated in {field}")
            value, payload = payload[:value], payload[value:]
        fields[field] = value
    return NAMES[code], request_id, fields


def receive_with_descriptors(connection, limit=262144):
    """(bytes, descriptors) of one recvmsg. The caller has to close the descriptors."""
    descriptors = array.array("i")
    room = socket.CMSG_SPACE(4 * descriptors.itemsize)
    data, messages, _, _ = connection.recvmsg(limit, room, socket.MSG_CMSG_CLOEXEC)
    for level, kind, content in messages:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(content[:len(content) - len(content) % descriptors.itemsize])
    return data, list(descriptors)


def encode_claims(user_id, email, roles, raw):
    """A claims block; all arguments are bytes."""
    def short(text):
        return struct.pack("<H", len(text)) + text
    return (short(user_id) + short(email) + struct.pack("<H", len(roles))
            + b"".join(short(role) for role in roles) + struct.pack("<I", len(raw)) + raw)


def decode_claims(block):
    """(id, email, roles, raw) of exactly one block."""
    def take(form):
        nonlocal block
        head = struct.Struct("<" + form)
        if len(block) < head.size:
            raise ValueError("cut")
        (size,) = head.unpack_from(block)
        block = block[head.size:]
        return size

    def text(form):
        nonlocal block
        size = take(form)
        if len(block) < size:
            raise ValueError("cut")
        value, block = block[:size], block[size:]
        return value

    user_id, email = text("H"), text("H")
    roles = [text("H") for _ in range(take("H"))]
    raw = text("I")
    if block or not user_id:
        raise ValueError("not one block")
    return user_id, email, roles, raw


def read_golden(path):
    """{name: frame} of golden_frames.txt."""
    frames = {}
    with open(path, encoding="ascii") as lines:
        for line in lines:
            words = line.split("#", 1)[0].split()
            if words:
                name, hexes = words
                if name in frames:
                    raise ValueError(f"{path}: {name} occurs twice")
                frames[name] = bytes.fromhex(hexes)
    return frames
