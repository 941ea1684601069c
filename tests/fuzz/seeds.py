#!/usr/bin/python3
"""Seed corpus of a fuzz target: `seeds.py TARGET DIR` writes the golden bytes of the decoder's tests, one file each."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import wire  # noqa: E402


def seeds(target):
    """{name: bytes}; empty for a target that needs no seeds."""
    if target == "codec_fuzz":
        return wire.read_golden(ROOT / "proto" / "testdata" / "golden_frames.txt")
    if target == "fleet_fuzz":
        return wire.read_golden(ROOT / "proto" / "testdata" / "golden_fleet.txt")
    if target == "audit_fuzz":
        return {"record": bytes.fromhex((ROOT / "tests" / "audit" / "testdata" / "record.hex").read_text())}
    if target == "front_door_fuzz":
        return {path.stem: path.read_bytes() for path in (ROOT / "tests" / "testdata" / "proxies").glob("*.http")}
    return {}


def main():
    target, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    for name, data in seeds(target).items():
        (folder / f"golden-{name}").write_bytes(data)


if __name__ == "__main__":
    main()
