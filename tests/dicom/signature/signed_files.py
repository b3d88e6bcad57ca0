import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pydicom
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, JPEG2000Lossless, generate_uid

from napari_medadv.dicom.signature.signer import PrivateKey, Signer

TODAY = datetime.now(UTC)


@dataclass(frozen=True)
class Authority:
    """Keys and certificates of a root, an intermediate authority, and those whom they vouch for."""

    root: Signer
    between: Signer
    leaf: Signer
    curve: Signer
    stranger: Signer
    expired: Signer


def issue(
    name: str,
    key: PrivateKey,
    issuer: Signer | None = None,
    *,
    authority: bool = False,
    days: tuple[int, int] = (-100, 900),
    stamps: bool = False,
) -> Signer:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(TODAY + timedelta(days=days[0]))
        .not_valid_after(TODAY + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(not authority, False, False, False, False, authority, authority, False, False), critical=True
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key((issuer.key if issuer else key).public_key()),
            critical=False,
        )
    )
    if stamps:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    return Signer(key, made.sign(issuer.key if issuer else key, hashes.SHA256()))


@pytest.fixture(scope="session")
def authority() -> Authority:
    keys = [rsa.generate_private_key(65537, 2048) for _ in range(4)]
    root = issue("Test Root", keys[0], authority=True)
    between = issue("Test Hospital", keys[1], root, authority=True)
    return Authority(
        root,
        between,
        issue("CT Scanner 7", keys[2], between),
        issue("Curve", ec.generate_private_key(ec.SECP256R1()), between),
        issue("Stranger", keys[3]),
        issue("Old Scanner", keys[2], between, days=(-90, -1)),
    )


def pem(signer: Signer, folder: Path, name: str) -> tuple[Path, Path]:
    key, certificate = folder / f"{name}.key.pem", folder / f"{name}.pem"
    key.write_bytes(
        signer.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    certificate.write_bytes(signer.certificate.public_bytes(serialization.Encoding.PEM))
    return key, certificate


def ct(size: int = 32) -> Dataset:
    """A slice with sequences in sequences, private elements, empty values, and surplus padding."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    found = Dataset()
    found.file_meta = meta
    found.SOPClassUID, found.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    found.StudyInstanceUID, found.SeriesInstanceUID = generate_uid(), generate_uid()
    found.Modality, found.PatientName, found.PatientID = "CT", "Test^Signed", "7"
    found.StudyDate, found.Manufacturer, found.InstanceNumber = "20240101", "", 1
    found.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    source = Dataset()
    source.ReferencedSOPInstanceUID = generate_uid()
    purpose = Dataset()
    purpose.CodeValue, purpose.CodingSchemeDesignator, purpose.CodeMeaning = "121322", "DCM", "Source"
    source.PurposeOfReferenceCodeSequence = [purpose]
    found.SourceImageSequence = [source, Dataset()]
    block = found.private_block(0x0043, "TESTVENDOR", create=True)
    block.add_new(0x10, "DS", ["1.5", "2"])
    block.add_new(0x11, "OB", b"\1\2\3\4")
    found.Rows = found.Columns = size
    found.SamplesPerPixel, found.PhotometricInterpretation = 1, "MONOCHROME2"
    found.BitsAllocated, found.BitsStored, found.HighBit, found.PixelRepresentation = 16, 16, 15, 1
    found.RescaleSlope, found.RescaleIntercept = 1, -1024
    voxels = np.random.default_rng(3).integers(0, 2000, (size, size)).astype("<i2")
    found.PixelData = voxels.tobytes()
    found["PixelData"].VR = "OW"
    return found


def written(dataset: Dataset) -> bytes:
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def native() -> bytes:
    return written(ct())


def sequences() -> bytes:
    dataset = ct()
    dataset["SourceImageSequence"].is_undefined_length = True
    for item in dataset.SourceImageSequence:
        item.is_undefined_length_sequence_item = True
    dataset.Manufacturer = "SURPLUS PADDING   "
    return written(dataset)


def encapsulated() -> bytes:
    dataset = ct()
    dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
    dataset.PixelData = encapsulate([bytes(range(200)) * 3])
    dataset["PixelData"].VR = "OB"
    return written(dataset)


KINDS: dict[str, Callable[[], bytes]] = {"native": native, "sequences": sequences, "encapsulated": encapsulated}


@pytest.fixture(params=sorted(KINDS))
def data(request: pytest.FixtureRequest) -> bytes:
    return KINDS[request.param]()


@pytest.fixture
def dcmsign() -> str:
    found = shutil.which("dcmsign")
    if found is None:
        pytest.skip("dcmsign is missing: install Debian's dcmtk to check that both toolkits agree")
    return found
