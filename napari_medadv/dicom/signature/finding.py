"""Finding: what was found of a signature, of a file, of a series; a pass only where everything is vouched for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from pydicom.datadict import keyword_for_tag

from napari_medadv.dicom.signature.timestamp import Timestamp
from napari_medadv.dicom.signature.trust import Trust

State = Literal["valid", "corrupted", "unreadable"]
Badge = Literal["vouched", "partly vouched", "not trusted", "unsigned", "altered"]


def named(tag: int) -> str:
    """A tag as a person reads it: its numbers, and its keyword where the standard has one."""
    keyword = keyword_for_tag(tag)
    numbers = f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
    return f"{numbers} {keyword}" if keyword else numbers


@dataclass(frozen=True, slots=True)
class SignatureFinding:
    """One signature.

    Attributes
    ----------
    uid, place
        Its UID; "" for the main data set, or the sequence item in which it stands.
    state, why
        Whether its elements are as they were signed, and if that cannot be told, why.
    signer, signed_at, algorithm
        The certificate's name, the time that the signer claims (DICOM DT), the hash.
    trust
        What the certificate is worth.
    covered, uncovered, gone
        Tags that it covers; that are present and it does not; that it covers and are no longer there.
    profiles
        The profiles of PS3.15 whose rules it meets.
    pixels
        Whether it covers the pixel data, where there are any.
    timestamp
        What a time-stamp authority certifies about it, where there is such a thing.
    """

    uid: str
    place: str
    state: State
    why: str
    signer: str
    signed_at: str
    algorithm: str
    trust: Trust
    covered: tuple[int, ...]
    uncovered: tuple[int, ...]
    gone: tuple[int, ...]
    profiles: tuple[str, ...]
    pixels: bool
    timestamp: Timestamp | None = None

    @property
    def passed(self) -> bool:
        """Valid, of somebody who is trusted, and with no timestamp that does not fit."""
        fits = self.timestamp is None or self.timestamp.fits
        return self.state == "valid" and self.trust.state == "trusted" and fits

    @property
    def sentence(self) -> str:
        """The finding in a sentence or two."""
        where = f" in {self.place}" if self.place else ""
        if self.state == "unreadable":
            return f"The signature{where} cannot be checked. {self.why}"
        if self.state == "corrupted":
            gone = f" ({', '.join(map(named, self.gone))} removed)" if self.gone else ""
            return f"The signature of {self.signer}{where} does not fit: a signed element or the signature was altered{gone}."
        stamped = f" {self.timestamp.sentence}" if self.timestamp is not None else ""
        return f"Signed{where} by {self.signer}; {len(self.covered)} elements are as they were signed. {self.trust.sentence}{stamped}"


@dataclass(frozen=True, slots=True)
class InstanceFinding:
    """One file.

    Attributes
    ----------
    name, sop_uid
        The file's name, its SOP Instance UID.
    signatures
        Every signature that was found.
    bare
        Tags that are present and that no valid, trusted signature covers.
    problems
        Sentences: absent or stripped signatures, an unreadable file.
    """

    name: str
    sop_uid: str
    signatures: tuple[SignatureFinding, ...]
    bare: tuple[int, ...]
    problems: tuple[str, ...]

    @property
    def badge(self) -> Badge:
        """The state in two words; the worst that is true."""
        if any(signature.state != "valid" for signature in self.signatures):
            return "altered"
        if any("stripped." in problem and "never" not in problem for problem in self.problems):
            return "altered"
        own = [signature for signature in self.signatures if not signature.place]
        if not own:
            return "unsigned"
        if not any(signature.passed for signature in own):
            return "not trusted"
        return "partly vouched" if any(tag >> 16 & 1 == 0 for tag in self.bare) else "vouched"

    @property
    def passed(self) -> bool:
        """Whether every standard element of the file is vouched for by somebody trusted, and nothing is amiss."""
        return self.badge == "vouched"

    @property
    def sentences(self) -> tuple[str, ...]:
        """All that a person should know, the worst first."""
        signed = sorted(self.signatures, key=lambda signature: signature.passed)
        found = [*self.problems, *(signature.sentence for signature in signed)]
        if self.bare and any(signature.passed for signature in self.signatures):
            shown = ", ".join(map(named, self.bare[:8])) + (
                f" and {len(self.bare) - 8} more" if len(self.bare) > 8 else ""
            )
            found.insert(0, f"Present, and covered by no trusted signature: {shown}.")
        return tuple(found)


@dataclass(frozen=True, slots=True)
class SeriesFinding:
    """All files of a series."""

    instances: tuple[InstanceFinding, ...]

    @property
    def badge(self) -> Badge:
        """The worst badge of its files; unsigned files among signed ones count as altered, one file twice as in part."""
        badges = {instance.badge for instance in self.instances}
        if not badges or badges == {"unsigned"}:
            return "unsigned"
        order: tuple[Badge, ...] = ("altered", "unsigned", "not trusted", "partly vouched", "vouched")
        worst = min(badges, key=order.index)
        if worst == "vouched" and self.doubled:
            return "partly vouched"
        return "altered" if worst == "unsigned" else worst

    @property
    def passed(self) -> bool:
        """Whether every file passes, and none is there twice."""
        return bool(self.instances) and not self.doubled and all(instance.passed for instance in self.instances)

    @property
    def doubled(self) -> tuple[str, ...]:
        """The names of files with one SOP Instance UID."""
        counts = Counter(instance.sop_uid for instance in self.instances if instance.sop_uid)
        return tuple(instance.name for instance in self.instances if counts[instance.sop_uid] > 1)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings, each once with the number of files that it is true of."""
        counts = Counter(sentence for instance in self.instances for sentence in instance.sentences)
        many = len(self.instances)
        found = []
        bare = [i.name for i in self.instances if i.badge == "unsigned"]
        if bare and len(bare) < many:
            found.append(
                f"{len(bare)} of {many} files carry no signature while the others do: stripped or inserted ({', '.join(bare[:3])}"
                f"{', ...' if len(bare) > 3 else ''})."
            )
        if self.doubled:
            found.append(
                f"{len(self.doubled)} files have their SOP Instance UID in common with another ({', '.join(self.doubled[:4])}"
                f"{', ...' if len(self.doubled) > 4 else ''}): a copy, which may have taken the place of another image."
            )
        for sentence, count in counts.items():
            who = [i.name for i in self.instances if sentence in i.sentences]
            few = f" ({', '.join(who[:3])}{', ...' if count > 3 else ''})" if count < many else ""
            found.append(f"{count} of {many} files: {sentence}{few}" if many > 1 else sentence)
        return tuple(found)
