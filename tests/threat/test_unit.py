"""Budgets in the reader's units; the standard's own figures for its display function."""

from __future__ import annotations

import math

import numpy as np
import pytest

from napari_medadv.errors import ThreatError
from napari_medadv.table import Table
from napari_medadv.threat import L0, L2, Linf
from napari_medadv.threat.gsdf import Display, index, luminance
from napari_medadv.threat.unit import measurable, native, psnr, stated
from napari_medadv.volume import Window

LUNG = Window(-600, 1501)


@pytest.mark.parametrize(("jnd", "candela"), [(1, 0.05), (2, 0.0547), (3, 0.0594), (1023, 3993.4)])
def test_the_display_function_is_that_of_the_standards_table(jnd: int, candela: float) -> None:
    assert luminance(jnd) == pytest.approx(candela, rel=2e-3)


def test_the_index_is_the_inverse_of_the_luminance() -> None:
    for jnd in range(1, 1024, 7):
        assert index(luminance(jnd)) == pytest.approx(jnd, abs=0.5)


def test_measures_of_one_voxel() -> None:
    assert native(2, "% of window", LUNG) == pytest.approx(30)
    assert native(1, "grey level of 255", LUNG) == pytest.approx(1500 / 255)
    assert native(8, "native", LUNG) == 8
    display = Display(1.0, 350.0)
    assert 450 < display.differences < 600
    assert native(1, "JND", LUNG, display) == pytest.approx(1500 / display.differences)
    assert native(1, "JND", LUNG, Display(1.0, 1000.0)) < native(1, "JND", LUNG, display)


def test_every_measure_converts_to_every_other() -> None:
    for budget in (Linf(8.0), L2(8.0 * math.sqrt(100))):
        words = stated(budget, LUNG, 100)
        assert words["native"] == pytest.approx(8)
        for measure in ("native", "% of window", "grey level of 255", "JND"):
            assert native(words[measure], measure, LUNG) == pytest.approx(8)
        assert psnr(words["PSNR dB"], LUNG, 100).epsilon == pytest.approx(8 * math.sqrt(100))
    assert stated(L0(3), LUNG, 100) == {"epsilon": 3}


def test_impossible_units_are_refused() -> None:
    with pytest.raises(ThreatError, match="no measure"):
        native(1, "shade", LUNG)  # type: ignore[arg-type]
    with pytest.raises(ThreatError, match="cd/m2"):
        Display(0.001, 350)
    with pytest.raises(ThreatError, match="wider"):
        native(1, "JND", Window(0, 1))
    with pytest.raises(ThreatError, match="decibel"):
        psnr(math.inf, LUNG, 100)


def test_under_a_table_a_budget_is_measured_where_the_table_is_steepest() -> None:
    entries = np.concatenate([np.linspace(0, 0.1, 1000), np.linspace(0.1, 0.9, 101)[1:], np.linspace(0.9, 1, 1000)])
    window = Window.from_table(Table(0, entries))
    words = stated(Linf(10), window, 100)
    steepest = max(abs(float(shown)) for shown in window.grey(np.arange(2090) + 10) - window.grey(np.arange(2090)))
    assert words["grey level of 255"] == pytest.approx(255 * steepest, rel=1e-3)
    assert words["JND"] == pytest.approx(Display().differences * steepest, rel=1e-3)
    assert words["PSNR dB"] == pytest.approx(-20 * math.log10(steepest), rel=1e-3)
    for measure in ("native", "% of window", "grey level of 255", "JND"):
        assert native(words[measure], measure, window) == pytest.approx(10, rel=1e-3)
    assert psnr(words["PSNR dB"], window, 100).epsilon == pytest.approx(100, rel=1e-3)
    assert not measurable(Window.from_table(Table(0, np.full(256, 0.5))))
