"""Merkle: one digest for many lines, so that a signed head covers every one of them (as in RFC 6962, section 2.1)."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256


def root(lines: Sequence[bytes]) -> str:
    """The root over `lines`, hexadecimal."""
    level = [sha256(b"\0" + line).digest() for line in lines]
    if not level:
        return sha256(b"").hexdigest()
    while len(level) > 1:
        paired = [sha256(b"\1" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)]
        level = paired + ([level[-1]] if len(level) % 2 else [])
    return level[0].hex()
