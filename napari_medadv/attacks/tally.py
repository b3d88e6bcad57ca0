"""Tally: what an attack has spent, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_medadv.progress import Progress, silent


@dataclass(slots=True)
class Tally:
    """What a task and all its parts have spent, and how far they are; one for all of them, so nothing goes uncounted."""

    progress: Progress = silent
    queries: int = 0
    gradients: int = 0
    share: float = 0.0
    facts: list[str] = field(default_factory=list)
    start: float = 0.0
    length: float = 1.0

    def section(self, start: float, length: float) -> None:
        """From now on the shares that are reported are those of one part of the work."""
        self.start, self.length = start, length

    def pulse(self, share: float = 0.0) -> None:
        """Say how far the work is; it never goes back. Raises `Cancelled` where the person said stop."""
        self.share = max(self.share, self.start + self.length * min(share, 1.0))
        self.progress(self.share, "attacking")
