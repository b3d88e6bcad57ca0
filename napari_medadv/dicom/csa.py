"""Csa: the private header of Siemens MR images (element "SIEMENS CSA HEADER", 10), by name to texts; its second version, "SV10"."""

from __future__ import annotations

from struct import error, unpack_from

_MOST = 1000


def csa(data: bytes) -> dict[str, tuple[str, ...]]:
    """The values of a CSA header by name; nothing of another version, and nothing of what comes after damage."""
    found: dict[str, tuple[str, ...]] = {}
    if data[:4] != b"SV10":
        return found
    try:
        count, position = unpack_from("<I", data, 8)[0], 16
        for _ in range(min(count, _MOST)):
            name, items = unpack_from("<64s", data, position)[0], unpack_from("<i", data, position + 76)[0]
            position += 84
            values = []
            for _ in range(min(items, _MOST)):
                length = unpack_from("<4i", data, position)[1]
                position += 16
                if not 0 <= length <= len(data) - position:
                    return found
                values.append(data[position : position + length].split(b"\0")[0].decode("latin-1").strip())
                position += (length + 3) // 4 * 4
            found[name.split(b"\0")[0].decode("latin-1")] = tuple(value for value in values if value)
    except error:
        pass
    return found
