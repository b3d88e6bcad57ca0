"""Standing: who vouches for the files of a series and whether they are as recorded, in words for a badge; imports no Qt."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from napari_medadv.dicom.baseline import Comparison, compare, load_public, read_ledger
from napari_medadv.dicom.meaning import adversarial, synthetic
from napari_medadv.dicom.series import Series
from napari_medadv.dicom.signature import CREATOR, NONE, load_anchors, load_signer, sign_files, verify_files
from napari_medadv.display import Outcome
from napari_medadv.errors import LedgerError, OutputError, SignatureError
from napari_medadv.progress import Progress, part
from napari_medadv.widgets.saving import save_outcome

Tone = Literal["good", "unsure", "bad", "plain"]
_SIGNED: dict[str, tuple[str, Tone]] = {
    "vouched": ("Signed and intact", "good"),
    "partly vouched": ("Signed in part, and intact there", "unsure"),
    "not trusted": ("Signed and intact, signer not trusted", "unsure"),
    "unsigned": ("Not signed", "plain"),
    "altered": ("Signed, but changed or stripped", "bad"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A badge: its words, how they are meant, and the sentences behind them."""

    words: str
    tone: Tone
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standings:
    """All that is known of the files of a series.

    Attributes
    ----------
    origin
        That the files say of themselves that they are no original, or None.
    signature, baseline
        What their signatures are worth, and whether they are as a ledger recorded them.
    """

    origin: Standing | None
    signature: Standing
    baseline: Standing

    @property
    def shown(self) -> tuple[Standing, ...]:
        """Those that there are."""
        return tuple(each for each in (self.origin, self.signature, self.baseline) if each is not None)


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom a person trusts.

    Attributes
    ----------
    authorities
        A file of certificates (PEM), or None where nobody is trusted.
    ledger, key
        The baseline ledger, and the public key of its signer.
    """

    authorities: Path | None = None
    ledger: Path | None = None
    key: Path | None = None


NO_FILES = Standing(
    "No DICOM files", "plain", ("This image was not read from DICOM files, so nothing vouches for it.",)
)
NOT_COMPARED = Standing("No baseline", "plain")
CHECKING = Standing("Checking signatures…", "plain")
UNKNOWN = Standing("Signatures were not checked", "unsure")
NOTHING = Standing("Nothing is loaded", "plain", ("Load a series in the dock Series.",))


def standings(series: Series, trust: Trust, progress: Progress) -> Standings:
    """Origin, signature and baseline of a series; what cannot be checked is told in its own badge, and is never a pass."""
    authorities, ledger, key = trust.authorities, trust.ledger, trust.key
    try:
        signature = signed(series, authorities, part(progress, 0.0, 0.4))
    except SignatureError as error:
        signature = Standing("Signatures could not be checked", "bad", (str(error),))
    baseline = NOT_COMPARED
    if ledger is not None:
        try:
            baseline = recorded(series, ledger, authorities, key, part(progress, 0.4, 1.0))
        except (LedgerError, SignatureError) as error:
            baseline = Standing("The ledger is refused", "bad", (str(error),))
    return Standings(derived(series), signature, baseline)


def signed(series: Series, authorities: Path | None, progress: Progress) -> Standing:
    """What the DICOM signatures of a series are worth, to somebody who trusts the certificates of `authorities`."""
    anchors = load_anchors(*([authorities] if authorities is not None else []))
    found = verify_files([each.path for each in series.instances], anchors, progress=progress)
    words, tone = _SIGNED[found.badge]
    return Standing(words, tone, found.sentences)


def recorded(series: Series, ledger: Path, authorities: Path | None, key: Path | None, progress: Progress) -> Standing:
    """Whether the files of this series are as a ledger recorded them; other series of the folder are left aside."""
    book = read_ledger(ledger)
    anchors = load_anchors(*([authorities] if authorities is not None else []))
    keys = [load_public(key)] if key is not None else []
    own = {each.sop_uid for each in series.instances}
    entries = tuple(entry for entry in book.entries if entry.sop in own or entry.series == series.uid)
    if not entries:
        return Standing("Not in this ledger", "unsure", (f"{ledger.name} holds no instance of this series.",))
    names = {each.path.name for each in series.instances}
    folder = Path(os.path.commonpath([each.path.parent for each in series.instances]))
    found = compare(folder, replace(book, entries=entries), anchors, keys, progress=progress)
    changes = tuple(
        each for each in found.changes
        if each.sop in own or each.kind == "missing" or (each.kind == "unreadable" and each.name in names)
    )  # fmt: skip
    return compared(replace(found, changes=changes))


def compared(found: Comparison) -> Standing:
    """A comparison as a badge."""
    if found.alarms:
        first, more = found.alarms[0], len(found.alarms) - 1
        which = f"instance {first.number or '?'} {first.kind}" + (f", and {more} more" if more else "")
        return Standing(f"Differs from the baseline: {which}", "bad", found.sentences)
    if found.passed:
        return Standing("As recorded in the baseline", "good", found.sentences)
    return Standing("As recorded, ledger not trusted", "unsure", found.sentences)


def derived(series: Series) -> Standing | None:
    """The badge of a series that says of itself that it is a test image or synthetic, or None."""
    total = len(series.instances)
    kinds = (
        ("Derived test image", adversarial, "adversarial test images"),
        ("Synthetic image", synthetic, "made artificially"),
    )
    for words, check, what in kinds:
        count = sum(check(each.header) for each in series.instances)
        if count:
            who = "All files say of themselves" if count == total else f"{count} of {total} files say of themselves"
            return Standing(words, "unsure", (f"{who} that they are {what}.",))
    return None


def sign_copies(
    what: Series | Outcome, key: Path, certificate: Path, password: bytes | None, out: Path, progress: Progress
) -> tuple[str, int]:
    """Write signed copies of a series, or of an adversarial one that was not written yet; the signer and the number of files."""
    signer = load_signer(key, certificate, password)
    profile = CREATOR if signer.rsa else NONE
    if isinstance(what, Series):
        source = what.root.resolve() if what.root.is_dir() else what.root.resolve().parent
        if source in (out.resolve(), *out.resolve().parents):
            raise OutputError(f"{out.name} lies inside the source: name a folder elsewhere.")
        paths = [each.path for each in what.instances]
        return signer.name, len(sign_files(paths, signer, out, profile=profile, progress=progress))
    with tempfile.TemporaryDirectory(prefix="medadv-") as aside:
        files = save_outcome(what, Path(aside) / "derived", part(progress, 0.0, 0.6)).files
        written = sign_files(files, signer, out, profile=profile, progress=part(progress, 0.6, 1.0))
    return signer.name, len(written)
