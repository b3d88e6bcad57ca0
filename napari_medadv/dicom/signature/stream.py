"""Stream: the bytes over which a DICOM digital signature is calculated (PS3.3 C.12.1.1.3.1.1, PS3.15 annex C).

Checked byte for byte against what dcmtk's `dcmsign +d` writes: elements in order; a sequence or encapsulated pixel data
without any length, item tags without length, no item delimiters, and one sequence delimiter at the end; then the item of
the Digital Signatures Sequence itself without certificate, signature and certified timestamp.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from napari_medadv.dicom.signature.elements import LONG, PIXEL_DATA, Element

MAC_PARAMETERS, SIGNATURES = 0x4FFE0001, 0xFFFAFFFA
_ITEM, _SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_NOT_IN_ITSELF = frozenset((0x04000115, 0x04000120, 0x04000305, 0x04000310))


def signable(element: Element) -> bool:
    """Whether PS3.3 allows a signature to cover this element at all."""
    return nameable(element.tag) and not _holds_unknown(element)


def nameable(tag: int) -> bool:
    """Whether a tag may be named among the Data Elements Signed."""
    group = tag >> 16
    return bool(
        tag & 0xFFFF
        and group >= 8
        and group not in (0xFFFA, 0xFFFE)
        and tag not in (0x00080001, MAC_PARAMETERS, 0xFFFCFFFC)
    )


def message(
    body: bytes, members: tuple[Element, ...], covered: Collection[int], signature: tuple[Element, ...], own: bytes
) -> Iterator[bytes | memoryview]:
    """The message in pieces: the `covered` elements of `body`, then the `signature` item whose bytes lie in `own`."""
    wanted = frozenset(covered)
    for element in members:
        if element.tag in wanted:
            yield from _element(body, element)
    for element in signature:
        if element.tag not in _NOT_IN_ITSELF:
            yield from _element(own, element)


def _element(data: bytes, element: Element) -> Iterator[bytes | memoryview]:
    head = data[element.start : element.start + 4]
    if element.vr == b"SQ":
        yield head + b"SQ\0\0"
        for item in element.items:
            yield _ITEM
            for member in item:
                if nameable(member.tag):
                    yield from _element(data, member)
        yield _SEQUENCE_END
    elif element.fragments is not None:
        yield head + b"OB\0\0"
        for start, stop in element.fragments:
            yield _ITEM
            yield memoryview(data)[start:stop]
        yield _SEQUENCE_END
    elif (element.stop - element.value) % 2 == 0:
        yield memoryview(data)[element.start : element.stop]
    else:
        yield from _made_even(data, element, head)


def _made_even(data: bytes, element: Element, head: bytes) -> Iterator[bytes]:
    """An odd length breaks PS3.5; the toolkits calculate over the value padded as the standard would have it."""
    length = element.stop - element.value + 1
    size = b"\0\0" + length.to_bytes(4, "little") if element.vr in LONG else length.to_bytes(2, "little")
    yield head + element.vr + size
    yield data[element.value : element.stop] + (b"\0" if element.vr in (b"UI", b"OB", b"UN") else b" ")


def _holds_unknown(element: Element) -> bool:
    if element.vr == b"UN":
        return True
    return any(_holds_unknown(member) for item in element.items for member in item)


def has_pixels(covered: Collection[int]) -> bool:
    """Whether the pixel data are among the covered elements."""
    return PIXEL_DATA in covered
