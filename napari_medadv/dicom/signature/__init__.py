"""DICOM digital signatures (PS3.15 annex C): who vouches for a file, and for what in it."""

from napari_medadv.dicom.signature.finding import InstanceFinding, SeriesFinding, SignatureFinding
from napari_medadv.dicom.signature.profile import BASE, CREATOR, NONE, PROFILES, Profile
from napari_medadv.dicom.signature.sign import sign, sign_files, unsigned
from napari_medadv.dicom.signature.signer import Signer, load_signer
from napari_medadv.dicom.signature.trust import Anchors, Trust, load_anchors
from napari_medadv.dicom.signature.verify import verify, verify_files

__all__ = [
    "BASE",
    "CREATOR",
    "NONE",
    "PROFILES",
    "Anchors",
    "InstanceFinding",
    "Profile",
    "SeriesFinding",
    "SignatureFinding",
    "Signer",
    "Trust",
    "load_anchors",
    "load_signer",
    "sign",
    "sign_files",
    "unsigned",
    "verify",
    "verify_files",
]
