"""Every error a person can meet, each one sentence: what was found, what was expected, what to do.

::

    MedAdvError
    ├── SeriesError          a folder or series that is no honest volume
    ├── OutputError          a result that cannot be written where it was asked for
    ├── CardError            a model card that says something impossible
    ├── ModelError           a network that does not do what its card says, or must not be loaded
    ├── MissingExtra         an optional package that this feature needs
    ├── CatalogueError       a name that no module carries
    ├── SettingError         a setting that a class has not, or a value of the wrong kind
    ├── ThreatError          a goal, budget or region that does not fit the volume or the classifier
    │   ├── UnknownLabel     a goal names a label that the classifier has not
    │   ├── VacuousBudget    a budget below one grey level: nothing can be stored within it
    │   ├── RegionError      a region of another shape, or empty
    │   └── AlreadyReached   the clean volume already is as the goal wishes
    ├── AttackError          an attack that cannot run on this classifier or with these settings
    ├── RecordError          a record that cannot be read or replayed
    ├── SignatureError       a digital signature that cannot be made or checked
    ├── LedgerError          a baseline ledger that cannot be written, read or believed
    ├── DetectorError        a detector that cannot run here, or a reference that is not this classifier's
    └── Cancelled            the person said stop
"""

from __future__ import annotations

import errno


class MedAdvError(Exception):
    """What every user error of this package is; its text is one sentence for a person."""


class SeriesError(MedAdvError):
    """A folder, file or series cannot be turned into one honest volume."""


class OutputError(MedAdvError):
    """A result cannot be written where it was asked for."""


class CardError(MedAdvError):
    """A model card has a wrong key or value."""


class ModelError(MedAdvError):
    """A network cannot be loaded, or does not do what its card says."""


class MissingExtra(MedAdvError):
    """An optional package is needed and not installed."""

    def __init__(self, package: str, extra: str, feature: str) -> None:
        super().__init__(
            f"{feature} needs the package {package}: install it with `pip install 'napari-medadv[{extra}]'`."
        )


class CatalogueError(MedAdvError):
    """No module or class carries the name."""


class SettingError(MedAdvError):
    """A setting has a wrong name or a value of the wrong kind."""


class ThreatError(MedAdvError):
    """A goal, a budget or a region does not fit the volume or the classifier."""


class UnknownLabel(ThreatError):
    """A goal names a label that the classifier does not have."""


class VacuousBudget(ThreatError):
    """A budget is smaller than one stored grey level."""


class RegionError(ThreatError):
    """A region is empty or has another shape than the volume."""


class AlreadyReached(ThreatError):
    """The clean volume already is as the goal wishes."""


class AttackError(MedAdvError):
    """An attack cannot run on this classifier or with these settings."""


class RecordError(MedAdvError):
    """A record cannot be read, or cannot be replayed here."""


class SignatureError(MedAdvError):
    """A digital signature cannot be made, or cannot be checked."""


class LedgerError(MedAdvError):
    """A baseline ledger cannot be written, read or believed."""


class DetectorError(MedAdvError):
    """A detector cannot run here, or its reference does not belong to this classifier."""


class Cancelled(MedAdvError):
    """The person stopped the work."""

    def __init__(self, what: str = "The work") -> None:
        super().__init__(f"{what} was stopped before it ended; nothing was written.")


def wrong_kind(what: str, found: object, wanted: str, do: str) -> str:
    """The sentence for a thing of another kind than what a function takes."""
    kind = f"the class {found.__name__} itself" if isinstance(found, type) else f"of the kind {type(found).__name__}"
    return f"{what} is {kind}, and {wanted} is expected: {do}."


def system_reason(fault: OSError) -> str:
    """What the operating system said in a few words, also where a library wrapped its error in another."""
    found: BaseException | None = fault
    while found is not None:
        if isinstance(found, OSError) and found.strerror:
            return found.strerror
        found = found.__cause__ or found.__context__
    return type(fault).__name__


def too_long(fault: BaseException) -> str:
    """The sentence for a path that no file can have, as it is too long; nothing where that is not what is wrong."""
    if not isinstance(fault, OSError) or fault.errno != errno.ENAMETOOLONG:
        return ""
    return f"A path of {len(str(fault.filename or ''))} characters, or a name in it, is longer than files here can have: give a shorter one."
