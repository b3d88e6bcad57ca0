"""Pickles, read opcode by opcode and never run: which names they would call."""

from __future__ import annotations

import pickletools


def called(content: bytes) -> frozenset[str]:
    """The names "module attribute" that a pickle imports; a ValueError where it is no pickle or hides them.

    A name can be hidden by putting it together on the stack (STACK_GLOBAL) or in a registry (EXT); torch writes neither.
    """
    names = set()
    for opcode, argument, _ in pickletools.genops(content):
        if opcode.name in ("GLOBAL", "INST"):
            names.add(str(argument))
        elif opcode.name in ("STACK_GLOBAL", "EXT1", "EXT2", "EXT4"):
            raise ValueError(f"a name that is put together on the stack ({opcode.name})")
    return frozenset(names)
