from tests.dicom.signature.signed_files import authority

__all__ = ["authority"]
