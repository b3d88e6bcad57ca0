"""Traps of geometry and order, and the list of all traps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.dicom.making import dataset, write
from tests.dicom.test_mosaic import NORMAL, TILT, mosaic, tiles
from tests.dicom.test_multiframe import enhanced
from tests.dicom.trap import Trap, Truth, affine, put, stack, stored
from tests.dicom.traps_pixels import (
    big_endian_bytes,
    bits,
    colour,
    floats,
    high_bit_above,
    junk_above,
    modality_table,
    monochrome1,
    palette,
    slope_of_each_slice,
    twelve_bits_signed,
)


def missing_slice(path: Path) -> str:
    put(path, 4, ImagePositionPatient=lambda i: [0, 0, [0, 1, 2, 4][i]])
    return "1 slice is missing"


def uneven(path: Path) -> str:
    put(path, 5, ImagePositionPatient=lambda i: [0, 0, [0, 1, 2.3, 3, 4][i]])
    return "distance between its slices varies"


def drift(path: Path) -> str:
    put(path, 5, ImagePositionPatient=lambda i: [[0, 0, 9, 0, 0][i], 0, i])
    return "do not lie on one straight line"


def duplicate(path: Path) -> str:
    put(path, 6, ImagePositionPatient=lambda i: [0, 0, i // 2])
    return "lie where another one lies already"


def tilt(path: Path) -> tuple[Truth, ...]:
    put(path, 4, ImagePositionPatient=lambda i: [0, i * 1.0, i * 2.5])
    return (Truth(stack(4, -1024), affine((0, 1, 2.5), (0, 0, 0))),)


def names_and_numbers(path: Path) -> tuple[Truth, ...]:
    lies: dict[str, Any] = {"SliceLocation": lambda i: 100 - i, "SpacingBetweenSlices": 7, "SliceThickness": 9}
    put(path, 5, InstanceNumber=lambda i: (i * 3) % 5, **lies)
    return (Truth(stack(5, -1024), affine()),)


def reversed_normal(path: Path) -> tuple[Truth, ...]:
    put(path, 3, ImageOrientationPatient=[1, 0, 0, 0, -1, 0])
    return (Truth(stack(3, -1024)[::-1], affine((0, 0, -2.5), (-10, -20, 10), y=(0, -0.5, 0))),)


def oblique(path: Path) -> tuple[Truth, ...]:
    put(path, 3, "MR", ImageOrientationPatient=TILT, ImagePositionPatient=lambda i: (i * 3 * NORMAL).tolist())
    return (Truth(stack(3), affine(3 * NORMAL, (0, 0, 0), 0.75 * np.array(TILT[:3]), 0.5 * np.array(TILT[3:]))),)


def one_after_the_other(
    count: int = 8, parts: int = 2, modality: str = "CT", intercept: float = -1024
) -> tuple[Truth, ...]:
    whole = stack(count, intercept)
    return tuple(Truth(whole[part::parts], affine((0, 0, 1), (0, 0, 0))) for part in range(parts))


def interleaved(**changed: Any) -> Callable[[Path], tuple[Truth, ...]]:
    def make(path: Path) -> tuple[Truth, ...]:
        put(path, 8, "MR", ImagePositionPatient=lambda i: [0, 0, i // 2], **changed)
        return one_after_the_other(intercept=0)

    return make


def orientations(path: Path) -> tuple[Truth, ...]:
    put(
        path,
        6,
        "MR",
        ImageOrientationPatient=lambda i: [1, 0, 0, 0, 1, 0] if i % 2 else [1, 0, 0, 0, 0, -1],
        ImagePositionPatient=lambda i: [0, 0, i // 2] if i % 2 else [0, i // 2, 0],
    )
    whole = stack(6)
    return (
        Truth(whole[0::2], affine((0, 1, 0), (0, 0, 0), y=(0, 0, -0.5))),
        Truth(whole[1::2], affine((0, 0, 1), (0, 0, 0))),
    )


def localizer(path: Path) -> tuple[Truth, ...]:
    put(path, 4)
    scout = dataset(
        "CT", 9, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"], ImageOrientationPatient=[1, 0, 0, 0, 0, -1]
    )
    scout.ImagePositionPatient = [0, 0, 40]
    write(scout, path / "scout.dcm")
    return (
        Truth(stack(4, -1024), affine()),
        Truth(stored(9)[None] - 1024, affine((0, 2.5, 0), (0, 0, 40), y=(0, 0, -0.5))),
    )


def frames_of_reference(path: Path) -> tuple[Truth, ...]:
    put(path, 6, FrameOfReferenceUID=lambda i: f"1.2.{i // 3}")
    whole = stack(6, -1024)
    return Truth(whole[:3], affine()), Truth(whole[3:], affine(start=(-10, -20, 12.5)))


def pixel_spacings(path: Path) -> tuple[Truth, ...]:
    put(path, 6, PixelSpacing=lambda i: [0.5, 0.75] if i < 3 else [1, 1.5])
    whole = stack(6, -1024)
    return Truth(whole[:3], affine()), Truth(whole[3:], affine(start=(-10, -20, 12.5), x=(1.5, 0, 0), y=(0, 1, 0)))


def no_position(path: Path) -> tuple[Truth, ...]:
    put(path, 4, ImagePositionPatient=None)
    return tuple(Truth(stored(index)[None] - 1024, None) for index in range(4))


def enhanced_frames(path: Path) -> tuple[Truth, ...]:
    enhanced(path / "a.dcm", [8, 0, 4])
    values = np.stack([np.full((6, 5), (10 * frame + 1) * (1 + frame) - 5) for frame in (1, 2, 0)])
    return (Truth(values, affine((0, 0, 4), (1, 2, 0), (3, 0, 0), (0, 2, 0))),)


def enhanced_echoes(path: Path) -> tuple[Truth, ...]:
    enhanced(path / "a.dcm", [0, 0, 4, 4], [10.0, 20.0] * 2)
    parts = []
    for frames in ((0, 2), (1, 3)):
        values = np.stack([np.full((6, 5), (10 * frame + 1) * (1 + frame) - 5) for frame in frames])
        parts.append(Truth(values, affine((0, 0, 4), (1, 2, 0), (3, 0, 0), (0, 2, 0))))
    return tuple(parts)


def siemens_mosaic(path: Path) -> tuple[Truth, ...]:
    mosaic(tiles(), path / "a.dcm")
    x, y = 2 * np.array(TILT[:3]), 3 * np.array(TILT[3:])
    return (Truth(tiles(), affine(4.5 * NORMAL, [-100, -90, 20] + 8 * x + 6 * y, x, y)),)


def mosaic_without_tags(path: Path) -> str:
    mosaic(tiles(), path / "a.dcm", normal=np.zeros(0))
    return "mosaics of slices"


TRAPS = (
    Trap("MONOCHROME1", monochrome1, "wrong", "wrong"),
    Trap("slope of each slice (PET)", slope_of_each_slice, "wrong", "right"),
    Trap("signed 12 bits, not extended", twelve_bits_signed, "right", "right"),
    Trap("junk above Bits Stored", junk_above, "right", "right"),
    Trap("High Bit 15 of 12 bits", high_bit_above, "wrong", "wrong"),
    Trap("modality lookup table", modality_table, "wrong", "right"),
    Trap("missing slice", missing_slice, "wrong", "refuses"),
    Trap("uneven distances", uneven, "wrong", "refuses"),
    Trap("slices off the line", drift, "wrong", "refuses"),
    Trap("two slices at one place", duplicate, "wrong", "refuses"),
    Trap("gantry tilt", tilt, "wrong", "refuses"),
    Trap("misleading names, numbers, spacing", names_and_numbers, "right", "right"),
    Trap("normal from head to feet", reversed_normal, "right", "right"),
    Trap("oblique slices", oblique, "right", "right"),
    Trap("two acquisitions", interleaved(AcquisitionNumber=lambda i: 1 + i % 2), "wrong", "refuses"),
    Trap("two echoes", interleaved(EchoTime=lambda i: 10 + 20 * (i % 2)), "wrong", "refuses"),
    Trap("two b-values", interleaved(DiffusionBValue=lambda i: float(1000 * (i % 2))), "wrong", "refuses"),
    Trap("two time points", interleaved(TemporalPositionIdentifier=lambda i: 1 + i % 2), "wrong", "refuses"),
    Trap("two trigger times", interleaved(TriggerTime=lambda i: 15.5 + 300 * (i % 2)), "wrong", "refuses"),
    Trap(
        "magnitude and phase", interleaved(ImageType=lambda i: ["ORIGINAL", "PRIMARY", "MP"[i % 2]]), "wrong", "refuses"
    ),
    Trap("two orientations", orientations, "wrong", "refuses"),
    Trap("localizer among the slices", localizer, "wrong", "refuses"),
    Trap("two frames of reference", frames_of_reference, "wrong", "refuses"),
    Trap("two pixel spacings", pixel_spacings, "wrong", "refuses"),
    Trap("no position", no_position, "wrong", "refuses"),
    Trap("enhanced, frames in no order", enhanced_frames, "wrong", "right"),
    Trap("enhanced, two echoes", enhanced_echoes, "wrong", "refuses"),
    Trap("Siemens mosaic", siemens_mosaic, "wrong", "wrong"),
    Trap("Siemens mosaic without its tags", mosaic_without_tags, "wrong", "wrong"),
    Trap("RGB, plane after plane", colour("RGB", PlanarConfiguration=1), "right", "right"),
    Trap("YBR_FULL", colour("YBR_FULL"), "right", "right"),
    Trap("palette", palette, "right", "right"),
    Trap("bits, frames not on bytes", bits, "wrong", "right"),
    Trap("floating point pixels", floats, "refuses", "right"),
    Trap("big endian bytes in words", big_endian_bytes, "right", "refuses"),
)
