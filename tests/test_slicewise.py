"""Slicewise: the same values as the whole, and no more of them than are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_medadv.slicewise import Slicewise, slicewise

SOURCE = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
SLOPE = np.array([1.0, 2.0, 0.5, 3.0])


def read(key: tuple[Any, ...], rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    part = SOURCE[key]
    found: np.ndarray[Any, Any] = (part * SLOPE[rows].reshape(-1, *[1] * (part.ndim - 1))).astype(np.float32)
    return found


WHOLE = (SOURCE * SLOPE[:, None, None]).astype(np.float32)
LAZY = Slicewise(SOURCE.shape, np.float32, read)


@pytest.mark.parametrize(
    "key",
    [
        2,
        -1,
        np.int64(1),
        (3, 2, 1),
        (slice(None), 2),
        (slice(1, 4, 2), slice(None), 3),
        (0, slice(1, 3), slice(None, None, -1)),
        slice(None, None, -1),
        (Ellipsis, 4),
        (2, Ellipsis, 4),
        Ellipsis,
        (),
        np.array([2, 0]),
        (slice(None), np.array([1, 2])),
        WHOLE > 50,
    ],
)
def test_an_index_gives_what_the_whole_would(key: Any) -> None:
    assert np.array_equal(LAZY[key], WHOLE[key])
    assert np.shape(LAZY[key]) == np.shape(WHOLE[key])


def test_it_reckons_and_tells_its_size_like_an_array() -> None:
    assert (LAZY.shape, LAZY.ndim, LAZY.size, LAZY.nbytes) == (WHOLE.shape, 3, WHOLE.size, WHOLE.nbytes)
    assert len(LAZY) == 4 and np.array_equal(np.stack(list(LAZY)), WHOLE)
    assert np.array_equal(LAZY - 1, WHOLE - 1) and np.array_equal(WHOLE - LAZY, WHOLE - WHOLE)
    with pytest.raises(IndexError):
        LAZY[4]


def test_only_what_is_looked_at_is_read() -> None:
    seen: list[int] = []

    def noting(key: tuple[Any, ...], rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        seen.extend(rows.tolist())
        return read(key, rows)

    lazy = Slicewise(SOURCE.shape, np.float32, noting)
    assert lazy[2].shape == (5, 6) and seen == [2]


def test_what_is_small_is_made_at_once() -> None:
    assert isinstance(slicewise(SOURCE, np.float32, read), np.ndarray)
    large = np.lib.stride_tricks.as_strided(SOURCE, (10_000, 100, 100), (0, 0, 0))
    assert isinstance(slicewise(large, np.float32, read), Slicewise)
