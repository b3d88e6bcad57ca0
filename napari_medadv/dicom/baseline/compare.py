"""compare(): a folder against its ledger: what was altered, added, removed or swapped, and where in the slice."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from napari_medadv.dicom.baseline.entry import Entry, measure
from napari_medadv.dicom.baseline.ledger import Ledger, read_ledger
from napari_medadv.dicom.baseline.pixels import Place
from napari_medadv.dicom.baseline.record import dicom_files, in_parallel
from napari_medadv.dicom.header import read_header
from napari_medadv.dicom.signature.trust import NO_ANCHORS, Anchors, Trust
from napari_medadv.errors import LedgerError, MedAdvError, SeriesError
from napari_medadv.progress import Progress, silent, throttled

Kind = Literal["altered", "added", "missing", "swapped", "unreadable", "re-encoded"]


@dataclass(frozen=True, slots=True)
class Change:
    """One instance that is not as it was recorded.

    Attributes
    ----------
    kind
        What happened; "re-encoded" is no alarm: another file with the same values and header, as far as a transcoder keeps it.
    name, sop, number
        The file, the instance.
    places
        The blocks that differ.
    parts
        The parts of the header that differ.
    sentence
        The same for a person.
    """

    kind: Kind
    name: str
    sop: str
    number: str
    sentence: str
    places: tuple[Place, ...] = ()
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """A folder beside its ledger.

    Attributes
    ----------
    trust
        What the ledger's own signature is worth.
    changes
        Everything that is not as recorded.
    unchanged, elsewhere
        How many files are as recorded; how many entries belong to series that were not looked at.
    """

    trust: Trust
    changes: tuple[Change, ...]
    unchanged: int
    elsewhere: int

    @property
    def alarms(self) -> tuple[Change, ...]:
        """The changes that matter."""
        return tuple(change for change in self.changes if change.kind != "re-encoded")

    @property
    def passed(self) -> bool:
        """Nothing changed, something was compared, and the ledger itself is vouched for by somebody trusted."""
        compared = self.unchanged + len(self.changes)
        return not self.alarms and compared > 0 and self.trust.state == "trusted"

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings, alarms first."""
        again = [change for change in self.changes if change.kind == "re-encoded"]
        found = [change.sentence for change in self.alarms]
        if again:
            found.append(
                f"{len(again)} file{'s were' if len(again) > 1 else ' was'} re-encoded without loss: the same stored values and header "
                "(without private attributes, file meta information, preamble and unused bits)."
            )
        found.append(f"{self.unchanged} file{' is' if self.unchanged == 1 else 's are'} byte for byte as recorded.")
        if self.elsewhere:
            found.append(
                f"{self.elsewhere} recorded instances belong to series of which nothing is here: they were not looked for "
                "(--complete does)."
            )
        return (*found, self.trust.sentence)


def compare(
    folder: Path,
    ledger: Path | Ledger,
    anchors: Anchors = NO_ANCHORS,
    keys: Sequence[Ed25519PublicKey] = (),
    *,
    complete: bool = False,
    expected_root: str = "",
    threads: int | None = None,
    at: datetime | None = None,
    progress: Progress = silent,
) -> Comparison:
    """Compare every DICOM file below `folder` with a ledger.

    Parameters
    ----------
    anchors, keys
        Whom the person trusts to sign a ledger.
    complete
        Whether every series of the ledger must be there; otherwise only the series that are met are counted.
    expected_root
        The ledger's root, where the person kept it elsewhere.

    Raises
    ------
    LedgerError
        The ledger is corrupt or forged, or is not the one with the expected root.
    """
    book = ledger if isinstance(ledger, Ledger) else read_ledger(ledger)
    if expected_root and book.root != expected_root.lower():
        raise LedgerError(
            f"The ledger has the root {book.root[:16]}..., not the expected one: it is another, or an older copy."
        )
    by_sop: dict[str, list[Entry]] = defaultdict(list)
    for entry in book.entries:
        by_sop[entry.sop].append(entry)
    known = {entry.file: entry.sop for entry in book.entries}
    by_pixels = {entry.pixels.sha256: entry for entry in book.entries if entry.pixels is not None}
    changes, unchanged, series = [], 0, set()
    seen: Counter[str] = Counter()
    report = throttled(progress)
    files = list(dicom_files(folder))

    def one(file: Path) -> Entry | Change | str | None:
        return _look(file, book, known)

    with ThreadPoolExecutor(in_parallel(threads)) as pool:
        for done, (file, found) in enumerate(zip(files, pool.map(one, files), strict=True)):
            report((done + 1) / len(files), f"comparing file {done + 1} of {len(files)}")
            if isinstance(found, Change):
                changes.append(found)
            elif isinstance(found, str):
                if seen[found] < len(by_sop[found]):
                    unchanged += 1
                else:
                    changes.append(_second(file, found, by_sop))
                seen[found] += 1
                series |= {entry.series for entry in by_sop[found]}
            elif found is not None:
                change = _judge(file, found, by_sop, by_pixels)
                as_many = max(len(by_sop.get(found.sop, ())), 1)
                changes.append(change if seen[found.sop] < as_many else _second(file, found.sop, by_sop))
                seen[found.sop] += 1
                series.add(found.series)
    for sop, entries in by_sop.items():
        if sop not in seen and (complete or entries[-1].series in series):
            changes.append(
                Change(
                    "missing",
                    "",
                    sop,
                    entries[-1].number,
                    f"Instance {_said(entries[-1])} was recorded and is missing.",
                )
            )
    elsewhere = 0 if complete else sum(entries[-1].series not in series for entries in by_sop.values())
    trust = (
        book.heads[-1].trust(anchors, keys, at)
        if book.heads
        else Trust("unknown", "The ledger is not signed: anybody could have written it.")
    )
    return Comparison(trust, tuple(changes), unchanged, elsewhere)


def _look(file: Path, book: Ledger, known: dict[str, str]) -> Entry | Change | str | None:
    """The SOP Instance UID of an unchanged file, the entry of another one, or nothing for what is no DICOM."""
    try:
        data = file.read_bytes()
    except OSError as error:
        return Change("unreadable", file.name, "", "", f"{file.name} cannot be read ({error.strerror}).")
    whole = sha256(data).hexdigest()
    if whole in known:
        return known[whole]
    if data[128:132] != b"DICM":
        return _unmarked(file)
    try:
        return measure(file, book.salt, book.depth)
    except MedAdvError as error:
        return Change("unreadable", file.name, "", "", f"{file.name} cannot be compared: {error}")


def _unmarked(file: Path) -> Change | None:
    """A file without the mark of DICOM that a scan takes for an image all the same; or nothing."""
    try:
        read_header(file)
    except SeriesError:
        return None
    return Change(
        "added", file.name, "", "", f"{file.name} was not recorded: it was added, a DICOM image without its mark."
    )


def _judge(file: Path, found: Entry, by_sop: dict[str, list[Entry]], by_pixels: dict[str, Entry]) -> Change:
    recorded = by_sop.get(found.sop)
    other = by_pixels.get(found.pixels.sha256) if found.pixels is not None else None
    if not recorded:
        copied = f", with the pixels of instance {_said(other)}" if other is not None else ""
        return Change(
            "added", file.name, found.sop, found.number, f"{file.name} was not recorded: it was added{copied}."
        )
    said = f"Instance {_said(recorded[-1])} ({file.name})"
    if found.header is None or (found.pixels is None and all(entry.pixels is None for entry in recorded)):
        return Change("altered", file.name, found.sop, found.number, f"{said} is another file than recorded.")
    for entry in recorded:
        kept = entry.header is not None and all(found.header.get(name) == part for name, part in entry.header.items())
        if entry.pixels == found.pixels and kept and entry.signatures <= found.signatures:
            sentence = f"{said} was re-encoded without loss."
            return Change("re-encoded", file.name, found.sop, found.number, sentence)
    entry = recorded[-1]
    parts = tuple(name for name, part in (entry.header or {}).items() if found.header.get(name) != part)
    header = f"its header differs ({', '.join(parts)})" if parts else ""
    if entry.pixels == found.pixels:
        header = header or "its DICOM signature was removed"
        return Change("altered", file.name, found.sop, found.number, f"{said}: {header}.", parts=parts)
    header = f", and {header}" if header else ""
    if other is not None and other.sop != found.sop:
        sentence = f"{said} holds the pixels of instance {_said(other)}: swapped{header}."
        return Change("swapped", file.name, found.sop, found.number, sentence, parts=parts)
    places = found.pixels.differing(entry.pixels) if found.pixels is not None and entry.pixels is not None else ()
    return Change("altered", file.name, found.sop, found.number, f"{said}: {_where(places)}{header}.", places, parts)


def _where(places: tuple[Place, ...]) -> str:
    if not places:
        return "its stored values differ throughout (another size, type, or none)"
    shown = "; ".join((f"frame {place.frame + 1}, " if place.frame else "") + str(place) for place in places[:3])
    more = f" and {len(places) - 3} more" if len(places) > 3 else ""
    return f"stored values differ in {len(places)} block{'s' if len(places) > 1 else ''} ({shown}{more})"


def _second(file: Path, sop: str, by_sop: dict[str, list[Entry]]) -> Change:
    entries = by_sop.get(sop)
    number = entries[-1].number if entries else ""
    said = _said(entries[-1]) if entries else sop
    return Change("added", file.name, sop, number, f"{file.name} is a second file of instance {said}: it was added.")


def _said(entry: Entry) -> str:
    return f"{entry.number or '?'} (...{entry.sop[-12:]})"
