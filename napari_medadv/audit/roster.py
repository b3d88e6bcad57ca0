"""Roster: which files of a folder count, and what is known of each, as a table says."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from napari_medadv.errors import SeriesError


def read_roster(table: Path, split: str = "") -> dict[Path, Mapping[str, str]]:
    """The row of each file of a CSV, its columns by name.

    Parameters
    ----------
    table
        With a column `file`, relative to the table.
    split
        Only rows with this word in the column `split`; all where it is empty.

    Raises
    ------
    SeriesError
        The table cannot be used.
    """
    try:
        with table.open(newline="", encoding="utf-8-sig") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SeriesError(f"The table {table.name} cannot be read: give a CSV file with a column `file`.") from error
    if not rows or "file" not in rows[0]:
        raise SeriesError(f"The table {table.name} has no column `file`: name the series there, relative to the table.")
    if split and "split" not in rows[0]:
        raise SeriesError(f"The table {table.name} has no column `split`: add one, or leave --split out.")
    chosen = [row for row in rows if not split or row["split"] == split]
    if any(not row["file"] for row in chosen):
        raise SeriesError(f"A row of the table {table.name} names no file: fill or remove it.")
    return {(table.parent / row["file"]).resolve(): row for row in chosen}


def none_named(series: int, folder: Path, rows: int, table: Path, split: str) -> SeriesError:
    """That no series of the folder is in the table."""
    rows_of = f"rows with the split {split!r}" if split else "rows"
    return SeriesError(
        f"None of the {series} series of {folder.name} is among the {rows} {rows_of} of {table.name}: "
        "name them in its column `file`, relative to the table."
    )
