"""Slicewise: an array that is made slice by slice when somebody looks, so that a large one never exists as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medadv.room import mapped

AT_ONCE = 64 << 20
"""Up to so many bytes are made at once."""

Read = Callable[[tuple[Any, ...], npt.NDArray[np.intp]], npt.NDArray[Any]]


class Slicewise(np.lib.mixins.NDArrayOperatorsMixin):
    """Values (z, y, x, ...) that `read` makes of what lies behind them; indexing gives plain arrays.

    Parameters
    ----------
    shape, dtype
        Of the whole.
    read
        Called with an index of which the first entry is a slice (so that axis z stays), and with the numbers of the slices
        that it picks; returns the values there.
    """

    def __init__(self, shape: tuple[int, ...], dtype: npt.DTypeLike, read: Read) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self._read = read

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of values."""
        return int(np.prod(self.shape))

    @property
    def nbytes(self) -> int:
        """The bytes that the whole would take."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[npt.NDArray[Any]]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        if parts and parts[0] is Ellipsis:
            parts = (*[slice(None)] * (self.ndim - len(parts) + 1), *parts[1:])
        if not all(isinstance(part, int | np.integer | slice) or part is Ellipsis for part in parts):
            return np.asarray(self)[key]
        first = parts[0] if parts else slice(None)
        if isinstance(first, slice):
            return self._read((first, *parts[1:]), np.arange(len(self))[first])
        place = range(len(self))[int(first)]
        return self._read((slice(place, place + 1), *parts[1:]), np.array([place]))[0]

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        found = self._read((slice(None),), np.arange(len(self)))
        return found if dtype is None else found.astype(dtype, copy=False)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        plain = [np.asarray(each) if isinstance(each, Slicewise) else each for each in inputs]
        return getattr(ufunc, method)(*plain, **options)


def slicewise(source: npt.NDArray[Any], dtype: npt.DTypeLike, read: Read) -> npt.NDArray[Any] | Slicewise:
    """What `read` makes of `source`, of its shape: at once where it is small and in memory, else slice by slice."""
    found = Slicewise(source.shape, dtype, read)
    return found if found.nbytes > AT_ONCE or mapped(source) else np.asarray(found)
