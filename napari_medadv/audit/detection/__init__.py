"""Detection: how detectors do on clean images, benign changes, attacks, and adversaries who know them."""

from napari_medadv.audit.detection.cases import Case, default_cases
from napari_medadv.audit.detection.cohort import Cohort, Image, cohort
from napari_medadv.audit.detection.evaluate import evaluate
from napari_medadv.audit.detection.figures import Figures, figures

__all__ = ["Case", "Cohort", "Figures", "Image", "cohort", "default_cases", "evaluate", "figures"]
