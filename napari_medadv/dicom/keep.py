"""Keep: a multi-frame image cut down to some of its frames."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from napari_medadv.dicom.instance import Instance


def keep_frames(dataset: Dataset, frames: Sequence[int], instance: Instance) -> None:
    """Keep the functional groups of the chosen frames (from 0, ascending) and mark each as derived."""
    count = 1 if instance.layout is None else instance.layout.images
    if "PerFrameFunctionalGroupsSequence" in dataset:
        items = dataset.PerFrameFunctionalGroupsSequence
        dataset.PerFrameFunctionalGroupsSequence = Items([items[frame] for frame in frames])
        for group in (*dataset.get("SharedFunctionalGroupsSequence", ()), *dataset.PerFrameFunctionalGroupsSequence):
            for element in group:
                if element.VR == "SQ" and element.value and "FrameType" in element.value[0]:
                    item = element.value[0]
                    item.FrameType = ["DERIVED", *list(item.FrameType)[1:]]
    if len(frames) == count:
        return
    dataset.NumberOfFrames = len(frames)
    for keyword in (
        "FrameTimeVector",
        "GridFrameOffsetVector",
        "SliceVector",
        "TimeSlotVector",
        "RepresentativeFrameNumber",
    ):
        if keyword in dataset:
            values = dataset[keyword].value
            if hasattr(values, "__iter__") and len(values) == count:
                setattr(dataset, keyword, [values[frame] for frame in frames])
            else:
                del dataset[keyword]
