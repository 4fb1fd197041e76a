"""The hash chain of a lane's stream: owns the bytes that are hashed, for journal, wire and cloud alike.

The hash of a row covers its predecessor's hash and every field of the row; the first row of an epoch
follows a genesis hash made of gateway, epoch, lane and the row number that the epoch starts after, so
that a stretch of one stream cannot stand in for another.
"""

from __future__ import annotations

import struct
from hashlib import sha256

_HEAD = struct.Struct(">32s16sQQqQHH")
HASH_BYTES = 32


def genesis_hash(gateway: str, epoch: int, lane: int, base_seq: int) -> bytes:
    """Head of an epoch that has no rows yet; its first row is `base_seq + 1`."""
    return sha256(f"island/v1/{gateway}/{epoch}/{lane}/{base_seq}".encode()).digest()


def event_hash(
    prev_hash: bytes,
    seq: int,
    uuid: bytes,
    hlc: int,
    wall_us: int,
    mono_ns: int,
    boot_id: bytes,
    kind: bytes,
    body: bytes,
) -> bytes:
    """SHA-256 over fixed-width numbers, then lengths, then texts: no two rows share a preimage.

    Raises struct.error when a number does not fit its width; the contract checks them before.
    """
    head = _HEAD.pack(prev_hash, uuid, seq, hlc, wall_us, mono_ns, len(boot_id), len(kind))
    return sha256(b"".join((head, boot_id, kind, body))).digest()
