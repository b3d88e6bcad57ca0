from tests.dicom.signature.signed_files import authority, data, dcmsign

__all__ = ["authority", "data", "dcmsign"]
