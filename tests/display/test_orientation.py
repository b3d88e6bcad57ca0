"""Anterior up, the patient's left on the right, and no mirror image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_medadv.display.orientation import (
    axis_labels,
    depth_away,
    edges,
    flips,
    letters,
    patient_position,
    screen_affine,
)
from napari_medadv.volume import Floats, Scale, Volume


def volume(z: Floats, y: Floats, x: Floats, *, placed: bool = True) -> Volume:
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = z, y, x
    affine[:3, 3] = 10, -20, 30
    return Volume(np.zeros((3, 4, 5), np.int16), affine, Scale("HU", -1024, 3071), placed=placed)


L, P, S = np.eye(3)


@pytest.mark.parametrize(
    ("axes", "flipped", "around"),
    [
        ((S, P, L), (False, False, False), ("A", "P", "R", "L")),
        ((-S, -P, L), (False, True, False), ("A", "P", "R", "L")),
        ((S, P, -L), (False, False, True), ("A", "P", "R", "L")),
        ((P, -S, L), (False, False, False), ("S", "I", "R", "L")),
        ((L, -S, P), (False, False, False), ("S", "I", "A", "P")),
        ((L, S, -P), (False, True, True), ("S", "I", "A", "P")),
    ],
)
def test_planes_are_turned_as_radiologists_expect(
    axes: tuple[Floats, Floats, Floats], flipped: tuple[bool, ...], around: tuple[str, ...]
) -> None:
    found = volume(*axes)
    assert flips(found) == flipped
    assert edges(found) == around


def test_an_image_without_a_place_is_shown_as_stored_and_has_no_sides() -> None:
    found = volume(S, -P, -L, placed=False)
    assert flips(found) == (False, False, False)
    assert edges(found) == ("", "", "", "")
    assert axis_labels(found) == ("z", "y", "x")
    assert patient_position(found, np.zeros(3)) == ""


def test_a_radiograph_has_the_sides_that_its_file_names() -> None:
    found = replace(volume(S, -P, -L, placed=False), sides=("L", "I"))
    assert edges(found) == ("S", "I", "R", "L") and edges(found, 2, 1) == ("R", "L", "S", "I")
    assert flips(found) == (False, False, False) and edges(found, 0, 1) == ("", "", "S", "I")
    assert edges(replace(found, sides=("PL", "I"))) == ("S", "I", "AR", "PL")


def test_a_turned_axis_keeps_the_picture_in_place() -> None:
    found = volume(2.5 * S, -0.5 * P, 0.75 * L)
    scaled = np.diag([2.5, 0.5, 0.75, 1])
    corners = (screen_affine(found) @ scaled @ np.array([[0, 0, 0, 1], [2, 3, 4, 1]]).T)[:3].T
    assert corners.tolist() == [[0, 1.5, 0], [5, 0, 3]]


def test_depth_runs_so_that_three_dimensions_are_no_mirror() -> None:
    assert depth_away(volume(S, P, L))
    assert not depth_away(volume(-S, P, L))


def test_oblique_directions_have_two_letters() -> None:
    assert letters(np.array([1.0, -0.6, 0.1])) == "LA"
    assert letters(np.array([0.0, 0.0, -3.0])) == "I"


def test_a_position_is_said_in_the_patient() -> None:
    assert (
        patient_position(volume(2.5 * S, 0.5 * P, 0.75 * L), np.array([2.0, 4.0, 0.0])) == "L 10.0  A 18.0  S 35.0 mm"
    )
