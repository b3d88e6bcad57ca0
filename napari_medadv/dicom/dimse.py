"""DIMSE: an archive that answers C-FIND and C-MOVE (PS3.4), with a receiver of our own, through pynetdicom (an optional package)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset

from napari_medadv.dicom.quiet import quiet
from napari_medadv.dicom.remote import RemoteSeries, whole_number
from napari_medadv.dicom.words import printable
from napari_medadv.errors import MissingExtra, SeriesError

_PENDING = (0xFF00, 0xFF01)
_SILENCE = 120.0


@dataclass(frozen=True, slots=True)
class Dimse:
    """An archive by host, port and titles.

    Attributes
    ----------
    title
        The archive's application entity title.
    own_title, own_port
        Ours, as the archive knows them: it sends images to this port.
    """

    host: str
    port: int
    title: str = "ANY-SCP"
    own_title: str = "MEDADV"
    own_port: int = 11112
    own_address: str = ""

    def __post_init__(self) -> None:
        for title in (self.title, self.own_title):
            if not (title.isascii() and title.isprintable() and 1 <= len(title.strip()) <= 16) or "\\" in title:
                raise SeriesError(f"{title!r} is no title of DIMSE: 1 to 16 letters, digits or signs are expected.")
        for port in (self.port, self.own_port):
            if not 1 <= port <= 65535:
                raise SeriesError(f"{port} is no port: a number from 1 to 65535 is expected.")

    def search(self, study_uid: str = "", modality: str = "") -> tuple[RemoteSeries, ...]:
        """List the series of a study, or of all studies where the archive allows it."""
        query = _query("SERIES", study_uid)
        query.Modality = modality
        query.SeriesInstanceUID = query.SeriesDescription = ""
        query.SeriesNumber = query.NumberOfSeriesRelatedInstances = None
        return tuple(
            RemoteSeries(
                str(each.get("SeriesInstanceUID", "")),
                str(each.get("StudyInstanceUID", "") or study_uid),
                printable(each.get("Modality", "") or ""),
                printable(each.get("SeriesDescription", "") or ""),
                whole_number(_said(each, "SeriesNumber")),
                whole_number(_said(each, "NumberOfSeriesRelatedInstances")),
            )
            for each in self._find(query)
            if each.get("SeriesInstanceUID")
        )

    def contents(self, series: RemoteSeries) -> frozenset[str]:
        """The SOP Instance UIDs of a series."""
        query = _query("IMAGE", series.study_uid)
        query.SeriesInstanceUID, query.SOPInstanceUID = series.uid, ""
        return frozenset(str(each.SOPInstanceUID) for each in self._find(query) if each.get("SOPInstanceUID"))

    def pull(self, series: RemoteSeries, wanted: frozenset[str], receive: Callable[[str, bytes], None]) -> None:
        """Have the archive send what is wanted to our own receiver, encoded as it comes."""
        query = _query("IMAGE" if len(wanted) <= 16 else "SERIES", series.study_uid)
        query.SeriesInstanceUID = series.uid
        if len(wanted) <= 16:
            query.SOPInstanceUID = sorted(wanted)
        faults: list[BaseException] = []
        with quiet(), self._receiver(receive, faults), self._association("move") as (association, model):
            for status, _ in association.send_c_move(query, self.own_title, model):
                if faults:
                    raise faults[0]
                if not status or status.Status not in (*_PENDING, 0x0000):
                    raise SeriesError(
                        f"The archive refused to send (status {_code(status)}): it must know {self.own_title}."
                    )
        if faults:
            raise faults[0]

    def _find(self, query: Dataset) -> list[Dataset]:
        with quiet(), self._association("find") as (association, model):
            found = []
            for status, answer in association.send_c_find(query, model):
                if not status or status.Status not in (*_PENDING, 0x0000):
                    raise SeriesError(f"The archive refused the search (status {_code(status)}): check the titles.")
                if answer is not None:
                    found.append(answer)
            return found

    @contextmanager
    def _association(self, what: str) -> Iterator[tuple[Any, Any]]:
        pynetdicom, classes = _pynetdicom()
        entity = pynetdicom.AE(ae_title=self.own_title)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = _SILENCE
        model = classes.StudyRootQueryRetrieveInformationModelFind
        if what == "move":
            model = classes.StudyRootQueryRetrieveInformationModelMove
        entity.add_requested_context(model)
        association = entity.associate(self.host, self.port, ae_title=self.title)
        if not association.is_established:
            raise SeriesError("The archive does not answer by DIMSE: check host, port and titles.")
        try:
            yield association, model
        except BaseException:
            association.abort()
            raise
        association.release()

    @contextmanager
    def _receiver(self, receive: Callable[[str, bytes], None], faults: list[BaseException]) -> Iterator[None]:
        pynetdicom, _ = _pynetdicom()
        entity = pynetdicom.AE(ae_title=self.own_title)
        entity.supported_contexts = pynetdicom.AllStoragePresentationContexts
        for context in entity.supported_contexts:
            context.transfer_syntax = pynetdicom.ALL_TRANSFER_SYNTAXES
        one = threading.Lock()

        def store(event: Any) -> int:
            try:
                with one:
                    if not faults:
                        receive(str(event.request.AffectedSOPInstanceUID), event.encoded_dataset())
            except BaseException as fault:  # told in the thread that waits for the archive
                faults.append(fault)
            return 0xA700 if faults else 0x0000

        try:
            server = entity.start_server(
                (self.own_address, self.own_port), block=False, evt_handlers=[(pynetdicom.evt.EVT_C_STORE, store)]
            )
        except OSError as fault:
            raise SeriesError(f"Port {self.own_port} is taken: choose another port for our receiver.") from fault
        try:
            yield
        finally:
            server.shutdown()


def _pynetdicom() -> tuple[Any, Any]:
    try:
        import pynetdicom
        from pynetdicom import sop_class
    except ImportError as fault:
        raise MissingExtra("pynetdicom", "archive", "Fetching by DIMSE") from fault
    return pynetdicom, sop_class


def _query(level: str, study_uid: str) -> Dataset:
    query = Dataset()
    query.QueryRetrieveLevel = level
    query.StudyInstanceUID = study_uid
    return query


def _said(answer: Dataset, keyword: str) -> Any:
    """A value of an answer; None where it is not what its representation allows."""
    try:
        return answer.get(keyword)
    except Exception:  # pydicom raises nearly everything on a damaged value
        return None


def _code(status: Any) -> str:
    return f"0x{status.Status:04x}" if status else "none"
