"""DICOMweb: an archive that answers QIDO-RS and WADO-RS (PS3.18), through dicomweb-client (an optional package)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from pydicom.pixels.utils import get_expected_length

from napari_medadv.dicom.quiet import quiet
from napari_medadv.dicom.remote import RemoteSeries, whole_number
from napari_medadv.dicom.words import printable
from napari_medadv.errors import Cancelled, MissingExtra, OutputError, SeriesError

_FIELDS = ["SeriesDescription", "SeriesNumber", "NumberOfSeriesRelatedInstances"]
_SERIES_UID, _INSTANCE_UID = "0020000E", "00080018"
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

        def work(client: Any) -> tuple[RemoteSeries, ...]:
            def page(offset: int) -> Any:
                return client.search_for_series(
                    study_instance_uid=study_uid or None, fields=_FIELDS, search_filters=filters, offset=offset or None
                )

            found = _pages(page, _SERIES_UID) if study_uid else page(0)
            return tuple(_series(each, study_uid) for each in found if _value(each, _SERIES_UID))

        return tuple(self._ask(work))

    def contents(self, series: RemoteSeries) -> frozenset[str]:
        """The SOP Instance UIDs of a series."""

        def work(client: Any) -> frozenset[str]:
            def page(offset: int) -> Any:
                return client.search_for_instances(series.study_uid, series.uid, offset=offset or None)

            return frozenset(_value(each, _INSTANCE_UID) for each in _pages(page, _INSTANCE_UID)) - {""}

        return frozenset(self._ask(work))

    def pull(self, series: RemoteSeries, wanted: frozenset[str], receive: Callable[[str, bytes], None]) -> None:
        """Fetch instances in the transfer syntax in which they are stored."""
        every = (("application/dicom", "*"),)

        def work(client: Any) -> None:
            if len(wanted) <= _BATCH:
                for uid in sorted(wanted):
                    _hand(
                        client.retrieve_instance(series.study_uid, series.uid, uid, media_types=every), series, receive
                    )
                return
            for dataset in client.iter_series(series.study_uid, series.uid, media_types=every):
                _hand(dataset, series, receive)

        self._ask(work)

    def _ask(self, question: Callable[[Any], Any]) -> Any:
        try:
            from dicomweb_client.api import DICOMwebClient
        except ImportError as fault:
            raise MissingExtra("dicomweb-client", "archive", "Fetching by DICOMweb") from fault
        try:
            with quiet():
                client = DICOMwebClient(self.url, headers=self.headers or None, timeout=self.timeout)
                client.set_http_retry_params(retry=False)  # five times in half a minute, whatever fails
                return question(client)
        except (Cancelled, SeriesError, OutputError):
            raise
        except OSError as fault:
            status = getattr(getattr(fault, "response", None), "status_code", None)
            if status is not None:
                raise SeriesError(_refusal(status)) from fault
            if fault.strerror and fault.errno and not isinstance(fault, ConnectionError):
                raise
            raise SeriesError(
                "The archive does not answer as DICOMweb: check the address, and that it is running."
            ) from fault
        except Exception as fault:  # the client hands on whatever the transport raises
            raise SeriesError(
                "The archive did not answer as DICOMweb: check the address and the authorisation."
            ) from fault


def _refusal(status: int) -> str:
    """What an archive means by a status of HTTP."""
    advice = "check the address" if status == 404 else "try again later, or ask who runs it"
    if status in (401, 403):
        advice = "check the user name, the password and what they may read"
    return f"The archive refused with status {status} of HTTP: {advice}."


def _pages(page: Callable[[int], Any], tag: str) -> list[Any]:
    """All results of a search: some archives answer in pages, and some whatever page is asked for."""
    found: dict[str, Any] = {}
    offset = 0
    while answer := page(offset):
        before = len(found)
        for each in answer:
            found.setdefault(_value(each, tag), each)
        if len(found) == before:
            break
        offset += len(answer)
    return list(found.values())


def _hand(dataset: Any, series: RemoteSeries, receive: Callable[[str, bytes], None]) -> None:
    """Hand on an instance that is whole; one of another series is left out."""
    if str(dataset.SeriesInstanceUID) != series.uid:
        return
    if "Rows" in dataset and not _whole(dataset):
        raise SeriesError("The archive sent an image that is cut off: try again, and the pull goes on.")
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    receive(str(dataset.SOPInstanceUID), buffer.getvalue())


def _whole(dataset: Any) -> bool:
    """Whether the pixels of an image are all there."""
    if not any(keyword in dataset for keyword in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        return False
    if "PixelData" not in dataset or dataset.file_meta.TransferSyntaxUID.is_compressed:
        return True
    expected = get_expected_length(dataset)
    return len(dataset.PixelData) >= expected


def _value(found: dict[str, Any], tag: str) -> str:
    """The first value of an attribute in DICOM JSON, as a text; "" where there is none."""
    values = found.get(tag, {}).get("Value") or [""]
    return "" if values[0] is None else str(values[0])


def _series(found: dict[str, Any], study_uid: str) -> RemoteSeries:
    return RemoteSeries(
        _value(found, _SERIES_UID),
        _value(found, "0020000D") or study_uid,
        printable(_value(found, "00080060")),
        printable(_value(found, "0008103E")),
        whole_number(_value(found, "00200011")),
        whole_number(_value(found, "00201209")),
    )
