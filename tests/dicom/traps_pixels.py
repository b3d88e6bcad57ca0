"""Traps of pixels: what the stored integers mean, and how they lie in the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from napari_medadv.dicom import attribute as a
from tests.dicom.making import dataset, write
from tests.dicom.test_lookup import table
from tests.dicom.trap import SHAPE, Truth, affine, put, stack, stored


def monochrome1(path: Path) -> tuple[Truth, ...]:
    put(path, 3, "MR", PhotometricInterpretation="MONOCHROME1")
    return (Truth(stack(3), affine()),)


def slope_of_each_slice(path: Path) -> tuple[Truth, ...]:
    slopes = [1, 0.5, 0.25]
    put(path, 3, "PT", RescaleSlope=lambda i: slopes[i], RescaleIntercept=0, Units="BQML")
    return (Truth(stack(3) * np.reshape(slopes, (3, 1, 1)), affine()),)


def twelve_bits_signed(path: Path) -> tuple[Truth, ...]:
    values = stack(3) - 300
    for index, each in enumerate(values):
        write(
            dataset("CT", index, voxels=(each & 0x0FFF).astype(np.int16), BitsStored=12, HighBit=11),
            path / f"{index}.dcm",
        )
    return (Truth(values - 1024, affine()),)


def junk_above(path: Path) -> tuple[Truth, ...]:
    for index in range(3):
        voxels = (stored(index, "uint16") | 0x3000).astype(np.uint16)
        write(dataset("CT", index, voxels=voxels, BitsStored=12, HighBit=11), path / f"{index}.dcm")
    return (Truth(stack(3, -1024), affine()),)


def high_bit_above(path: Path) -> tuple[Truth, ...]:
    for index in range(3):
        voxels = (stored(index, "uint16") << 4).astype(np.uint16)
        write(dataset("CT", index, voxels=voxels, BitsStored=12, HighBit=15), path / f"{index}.dcm")
    return (Truth(stack(3, -1024), affine()),)


def modality_table(path: Path) -> tuple[Truth, ...]:
    entries = np.arange(4096) ** 2 // 300
    for index in range(3):
        item = table(entries, ModalityLUTType="US")
        write(
            dataset("MR", index, voxels=stored(index, "uint16"), BitsStored=12, HighBit=11, ModalityLUTSequence=[item]),
            path / f"{index}.dcm",
        )
    return (Truth(entries[stack(3)], affine()),)


def colour(photometric: str, **changed: Any) -> Callable[[Path], tuple[Truth, ...]]:
    def make(path: Path) -> tuple[Truth, ...]:
        ybr = np.random.default_rng(0).integers(90, 160, (4, 6, 3)).astype(np.uint8)
        luma, blue, red = (ybr[..., channel].astype(float) - (0, 128, 128)[channel] for channel in range(3))
        rgb = np.stack([luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue], axis=-1)
        ds = dataset("XC", voxels=ybr, PhotometricInterpretation=photometric, **changed)
        if changed:
            ds.PixelData = np.moveaxis(ybr, -1, 0).tobytes()
        write(ds, path / "a.dcm")
        return (Truth((ybr if photometric == "RGB" else rgb)[None], None),)

    return make


def palette(path: Path) -> tuple[Truth, ...]:
    indices = np.random.default_rng(0).integers(0, 256, (4, 6)).astype(np.uint8)
    ds = dataset("XC", voxels=indices, PhotometricInterpretation="PALETTE COLOR")
    colours = np.random.default_rng(1).integers(0, 256, (256, 3))
    for channel, name in enumerate(("Red", "Green", "Blue")):
        setattr(ds, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 8])
        setattr(ds, f"{name}PaletteColorLookupTableData", colours[:, channel].astype(np.uint8).tobytes())
    write(ds, path / "a.dcm")
    return (Truth(colours[indices][None], None),)


def bits(path: Path) -> tuple[Truth, ...]:
    voxels = np.random.default_rng(2).integers(0, 2, (5, 5, 7), np.uint8)
    ds = dataset("CR", voxels=voxels[0], NumberOfFrames=5, BitsAllocated=1, BitsStored=1, HighBit=0)
    ds.PixelData = np.packbits(voxels, bitorder="little").tobytes()
    write(ds, path / "a.dcm")
    return (Truth(voxels, None),)


def floats(path: Path) -> tuple[Truth, ...]:
    values = np.random.default_rng(1).normal(0, 1e-3, SHAPE).astype("<f4")
    ds: Dataset = dataset("MR", BitsAllocated=32)
    for keyword in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation"):
        delattr(ds, keyword)
    ds.FloatPixelData = values.tobytes()
    write(ds, path / "a.dcm")
    return (Truth(values[None], affine()),)


def big_endian_bytes(path: Path) -> tuple[Truth, ...]:
    voxels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    ds = dataset("CR", voxels=voxels)
    ds.PixelData = voxels.reshape(-1, 2)[:, ::-1].tobytes()
    ds["PixelData"].VR = "OW"
    write(ds, path / "a.dcm", a.BIG_ENDIAN)
    return (Truth(voxels[None], None),)
