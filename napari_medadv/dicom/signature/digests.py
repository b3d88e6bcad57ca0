"""Digests: the hashes that a MAC algorithm (0400,0015) names, and how RSA binds them (RFC 8017, section 9.2)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from napari_medadv.errors import SignatureError

if TYPE_CHECKING:
    from hashlib import _Hash

STRONG = ("SHA256", "SHA384", "SHA512")
DIGESTS = {
    "SHA256": "sha256", "SHA384": "sha384", "SHA512": "sha512", "SHA1": "sha1", "MD5": "md5", "RIPEMD160": "ripemd160",
}  # fmt: skip
RIPEMD160_INFO = bytes.fromhex("3021300906052b2403020105000414")
"""What stands before a RIPEMD-160 digest in an RSA signature: its DigestInfo, object identifier 1.3.36.3.2.1."""


def hasher(algorithm: str) -> _Hash:
    """A fresh hash of the name that a MAC algorithm gives it.

    Raises
    ------
    SignatureError
        The name is unknown, or this Python has no such hash.
    """
    if algorithm not in DIGESTS:
        raise SignatureError(
            f"The hash {algorithm or '(none)'} is not known here ({', '.join(DIGESTS)} are): sign again with SHA256 or up."
        )
    try:
        return hashlib.new(DIGESTS[algorithm], usedforsecurity=False)
    except ValueError as error:
        raise SignatureError(
            f"The hash {algorithm} is switched off in this Python's OpenSSL: sign again with SHA256 or up."
        ) from error
