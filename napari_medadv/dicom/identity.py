"""Identity: whose image a derived one is said to be."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from pydicom.dataset import Dataset

from napari_medadv.dicom.derivation import derived_uid

PATIENT = "ADV-"
"""What a marked Patient ID begins with."""
NAME = "ADV^"
"""What a marked Patient's Name begins with."""
_KEPT_UIDS = ("1.2.840.10008.",)
_EMPTIED = (
    "PatientBirthDate PatientSex ReferringPhysicianName AccessionNumber StudyID StudyDate StudyTime ContentDate ContentTime"
).split()
_REMOVED = (
    "AcquisitionDate AcquisitionTime AcquisitionDateTime AcquisitionComments AcquisitionDeviceProcessingDescription "
    "AcquisitionProtocolDescription ActualHumanPerformersSequence AdditionalPatientHistory AdmissionID AdmittingDate AdmittingTime "
    "AdmittingDiagnosesDescription AdmittingDiagnosesCodeSequence Allergies AuthorObserverSequence BranchOfService "
    "CassetteID CommentsOnThePerformedProcedureStep ContentCreatorName ContentSequence ContrastBolusAgent CountryOfResidence "
    "CurrentPatientLocation CurveDate CurveTime CustodialOrganizationSequence DataSetTrailingPadding DetectorID "
    "DeviceUID EthnicGroup FrameComments GantryID GeneratorID HumanPerformerName HumanPerformerOrganization ImageComments "
    "ImagePresentationComments ImagingServiceRequestComments InstanceCreationDate InstanceCreationTime InstanceCreatorUID "
    "InstitutionAddress InstitutionCodeSequence InstitutionName InstitutionalDepartmentName InsurancePlanIdentification "
    "IssuerOfAccessionNumberSequence IssuerOfPatientID IssuerOfPatientIDQualifiersSequence LastMenstrualDate MedicalAlerts "
    "MedicalRecordLocator MilitaryRank NameOfPhysiciansReadingStudy NamesOfIntendedRecipientsOfResults Occupation OperatorsName "
    "OperatorIdentificationSequence OrderCallbackPhoneNumber OrderEnteredBy OriginalAttributesSequence OtherPatientIDs "
    "OtherPatientIDsSequence OtherPatientNames OverlayDate OverlayTime PatientAddress PatientAge PatientBirthName PatientBirthTime "
    "PatientComments PatientInstitutionResidence PatientInsurancePlanCodeSequence PatientMotherBirthName "
    "PatientPrimaryLanguageCodeSequence PatientReligiousPreference PatientSexNeutered PatientSize PatientState "
    "PatientTelephoneNumbers PatientWeight PerformedLocation PerformedProcedureStepDescription PerformedProcedureStepID "
    "PerformedProcedureStepStartDate PerformedProcedureStepStartTime PerformedProcedureStepEndDate PerformedProcedureStepEndTime "
    "PerformedStationAETitle PerformedStationName PerformingPhysicianIdentificationSequence PerformingPhysicianName "
    "PersonAddress PersonName PersonTelephoneNumbers PhysiciansOfRecord PhysiciansOfRecordIdentificationSequence "
    "PhysiciansReadingStudyIdentificationSequence PlateID PregnancyStatus PreMedication ProtocolName ReasonForStudy "
    "ReasonForTheRequestedProcedure ReferencedPatientSequence ReferencedPerformedProcedureStepSequence ReferencedStudySequence "
    "ReferringPhysicianAddress ReferringPhysicianIdentificationSequence ReferringPhysicianTelephoneNumbers RegionOfResidence "
    "RequestAttributesSequence RequestedContrastAgent RequestedProcedureComments RequestedProcedureDescription "
    "RequestedProcedureID RequestedProcedureLocation RequestingPhysician RequestingService ResponsibleOrganization "
    "ResponsiblePerson ScheduledPerformingPhysicianName ScheduledProcedureStepDescription ScheduledProcedureStepID "
    "ScheduledProcedureStepStartDate ScheduledProcedureStepStartTime ScheduledStationAETitle ScheduledStationName SeriesDate "
    "SeriesTime SmokingStatus SpecialNeeds StationName StudyComments StudyDescription TextComments TextString "
    "TimezoneOffsetFromUTC TimeOfLastCalibration DateOfLastCalibration VerifyingObserverName VerifyingOrganization VisitComments "
    "FillerOrderNumberImagingServiceRequest PlacerOrderNumberImagingServiceRequest RetrieveAETitle StationAETitle "
    "DateOfSecondaryCapture TimeOfSecondaryCapture SecondaryCaptureDeviceID PerformedProtocolCodeSequence ReferencedImageSequence"
).split()


def marked_patient(dataset: Dataset) -> None:
    """Mark the patient as none, and move the image into a study of its own; the frame of reference stays."""
    dataset.PatientID = (PATIENT + str(dataset.get("PatientID", "") or ""))[:64]
    dataset.PatientName = NAME + str(dataset.get("PatientName", "") or "").replace("^", " ").strip()[:58]
    dataset.QualityControlSubject = "YES"
    dataset.StudyInstanceUID = derived_uid(str(dataset.get("StudyInstanceUID", "")), "study of adversarial test images")


def deidentified(dataset: Dataset) -> None:
    """Remove what could name the patient: names, identifiers, dates, places, texts, private attributes, linkable UIDs."""
    patient = hashlib.sha256(str(dataset.get("PatientID", "")).encode()).hexdigest()[:12]
    description, text = dataset.get("SeriesDescription", ""), dataset.get("DerivationDescription", "")
    dataset.remove_private_tags()
    for each in _all(dataset):
        for keyword in _REMOVED:
            if keyword in each:
                del each[keyword]
        for keyword in _EMPTIED:
            if keyword in each:
                each[keyword].value = _dummy(each[keyword].VR)
        for element in list(each):
            if element.VR == "UI" and element.keyword not in ("SOPClassUID", "ReferencedSOPClassUID") and element.value:
                values = [element.value] if isinstance(element.value, str) else list(element.value)
                changed = [
                    uid if str(uid).startswith(_KEPT_UIDS) else derived_uid(str(uid), "no identity") for uid in values
                ]
                element.value = changed[0] if len(changed) == 1 else changed
            elif element.VR == "PN" and element.value:
                element.value = None
    if "DeviceSerialNumber" in dataset:
        dataset.DeviceSerialNumber = "REMOVED"
    dataset.PatientID = PATIENT + patient
    dataset.PatientName = NAME + patient
    dataset.SeriesDescription = description.split("]")[0] + "]"
    dataset.DerivationDescription = text
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = "napari-medadv: PS3.15 basic profile without pixel inspection"
    dataset.LongitudinalTemporalInformationModified = "REMOVED"


def _dummy(vr: str) -> str | None:
    """A value that says nothing, for attributes that may be required."""
    return {"DA": "19000101", "TM": "000000"}.get(vr)


def _all(dataset: Dataset) -> Iterator[Dataset]:
    """A data set and every item of every sequence in it."""
    yield dataset
    for element in list(dataset):
        if element.VR == "SQ":
            for item in element.value:
                yield from _all(item)
