"""DICOMweb: an archive that answers QIDO-RS and WADO-RS (PS3.18), through dicomweb-client (an optional package)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from napari_medadv.dicom.quiet import quiet
from napari_medadv.dicom.remote import RemoteSeries
from napari_medadv.dicom.words import printable
from napari_medadv.errors import Cancelled, MissingExtra, OutputError, SeriesError

_FIELDS = ["SeriesDescription", "SeriesNumber", "NumberOfSeriesRelatedInstances"]
_BATCH = 16
"""So many missing instances are fetched one by one; more by the whole series."""


@dataclass(frozen=True, slots=True)
class DicomWeb:
    """An archive at the URL of its DICOMweb service.

    Attributes
    ----------
    url
        Such as http://host:8042/dicom-web.
    headers
        Sent with each request (authorisation); never shown.
    """

    url: str
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 60.0

    def search(self, study_uid: str = "", modality: str = "") -> tuple[RemoteSeries, ...]:
        """List the series of a study, or of all studies."""
        filters = {"Modality": modality} if modality else {}
        found = self._ask(
            lambda client: client.search_for_series(
                study_instance_uid=study_uid or None,
                fields=_FIELDS,
                search_filters=filters,
                get_remaining=bool(study_uid),
            )
        )
        return tuple(_series(each) for each in found)

    def contents(self, series: RemoteSeries) -> frozenset[str]:
        """The SOP Instance UIDs of a series."""
        found = self._ask(lambda client: client.search_for_instances(series.study_uid, series.uid, get_remaining=True))
        return frozenset(str(_value(each, "00080018")) for each in found)

    def pull(self, series: RemoteSeries, wanted: frozenset[str], receive: Callable[[str, bytes], None]) -> None:
        """Fetch instances in the transfer syntax in which they are stored."""
        every = (("application/dicom", "*"),)

        def work(client: Any) -> None:
            if len(wanted) <= _BATCH:
                for uid in sorted(wanted):
                    _hand(client.retrieve_instance(series.study_uid, series.uid, uid, media_types=every), receive)
                return
            for dataset in client.iter_series(series.study_uid, series.uid, media_types=every):
                _hand(dataset, receive)

        self._ask(work)

    def _ask(self, question: Callable[[Any], Any]) -> Any:
        try:
            from dicomweb_client.api import DICOMwebClient
        except ImportError as fault:
            raise MissingExtra("dicomweb-client", "archive", "Fetching by DICOMweb") from fault
        try:
            with quiet():
                client = DICOMwebClient(self.url, headers=self.headers or None, timeout=self.timeout)
                return question(client)
        except (Cancelled, SeriesError, OutputError):
            raise
        except OSError as fault:
            if fault.strerror and fault.errno and not isinstance(fault, ConnectionError):
                raise
            raise SeriesError(
                "The archive does not answer as DICOMweb: check the address, and that it is running."
            ) from fault
        except Exception as fault:  # the client hands on whatever the transport raises
            raise SeriesError(
                "The archive did not answer as DICOMweb: check the address and the authorisation."
            ) from fault


def _hand(dataset: Any, receive: Callable[[str, bytes], None]) -> None:
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    receive(str(dataset.SOPInstanceUID), buffer.getvalue())


def _value(found: dict[str, Any], tag: str) -> Any:
    values = found.get(tag, {}).get("Value") or [""]
    return values[0]


def _series(found: dict[str, Any]) -> RemoteSeries:
    number, count = _value(found, "00200011"), _value(found, "00201209")
    return RemoteSeries(
        str(_value(found, "0020000E")),
        str(_value(found, "0020000D")),
        printable(_value(found, "00080060")),
        printable(_value(found, "0008103E")),
        int(number) if number != "" else None,
        int(count) if count != "" else None,
    )
