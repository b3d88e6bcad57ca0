"""Tables: to the entry, straight between, held at their ends."""

from __future__ import annotations

import numpy as np
import pytest

from napari_medadv.table import Table
from napari_medadv.volume import Window


def test_entries_ends_and_between() -> None:
    table = Table(-2, np.array([5.0, 5, 9, 1, 1]), "OD")
    assert table(np.array([-50, -2, -1, -0.5, 0, 1, 2, 70])).tolist() == [5, 5, 5, 7, 9, 1, 1, 1]
    assert (table.last, table.reach) == (2, (-1, 1))


def test_a_line_is_one_only_over_all_that_can_be_stored() -> None:
    table = Table(0, np.arange(10, dtype=np.float64) * 2.5 - 1)
    assert table.line(0, 9) == (2.5, -1) == table.line(2, 5)
    assert table.line(0, 10) is None and table.line(-1, 9) is None
    assert Table(0, np.array([1.0, 2, 4])).line(0, 2) is None and Table(0, np.array([3.0, 3])).line(0, 1) is None


def test_a_window_over_a_table_is_a_window_of_its_inputs() -> None:
    table = Table(10, np.array([0.0, 1, 4, 9, 16]), "HU")
    window = Window(4.5, 9, "LINEAR_EXACT").through(table)
    assert np.allclose(window.grey(np.array([10, 11, 12, 13, 14])), [0, 1 / 9, 4 / 9, 1, 1])
    assert window.limits == (10, 13)
    assert window == Window(4.5, 9, "LINEAR_EXACT").through(table) and len({window, window}) == 1


def test_impossible_tables() -> None:
    with pytest.raises(ValueError, match="finite"):
        Table(0, np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match="has a table where"):
        Window(1, 2, "TABLE")
