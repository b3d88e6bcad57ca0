"""Page: the figures of an evaluation as one self-contained HTML file with ROC plots; no image, no patient."""

from __future__ import annotations

from html import escape
from pathlib import Path

from napari_medadv.audit.detection.cases import HOSTILE
from napari_medadv.audit.detection.figures import FUSED, Figures, Line
from napari_medadv.detect.conformal import Rate
from napari_medadv.errors import OutputError

_SIDE = 200
_COLOURS = (
    "#0b6e99",
    "#c4553b",
    "#4d7a2a",
    "#7d4b8f",
    "#9a7b1d",
    "#3d5a80",
    "#a23b72",
    "#5b5b5b",
    "#2a9d8f",
    "#b5651d",
)
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #1c1c1c; background: #fff; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; font-size: 13px; }
th, td { border-bottom: 1px solid #d5d5d5; padding: .25rem .6rem; text-align: left; }
td + td { text-align: right; } th { position: sticky; top: 0; background: #fff; }
figure { display: inline-block; margin: .5rem; } figcaption { font-size: 12px; max-width: 200px; }
svg { background: #fafafa; border: 1px solid #d5d5d5; } .wide { overflow-x: auto; }
@media (prefers-color-scheme: dark) {
  body, th { background: #161616; color: #e6e6e6; } svg { background: #e9e9e9; } th, td { border-color: #444; }
}
"""


def write_page(figures: Figures, path: Path) -> None:
    """Write the page.

    Raises
    ------
    OutputError
        The disk refuses.
    """
    try:
        path.write_text(page(figures), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path.name} cannot be written ({error.strerror}): choose another folder.") from error


def page(figures: Figures) -> str:
    """The page as text."""
    names = (FUSED, *figures.detectors, *figures.peers)
    cases = [line for line in figures.lines if line.detector == FUSED]
    body = [
        f"<h1>Detectors of {escape(figures.classifier)}</h1>",
        f"<p>{figures.fitted} clean images were learnt from and {figures.calibrated} calibrate; {figures.clean} others of {figures.patients} "
        f"patients were examined. Fused: {escape(', '.join(figures.fused))}. Attacks count where they reached their goal as stored. Intervals "
        "hold 95 %: of bootstrap samples of the patients, or binomial (Clopper and Pearson) for counted shares.</p>",
        _rates("False alarms", "Clean images and benign changes: share flagged at a calibrated 5 %. 5 % should lie in the interval.",
               [line for line in cases if line.kind in ("clean", "control")], figures, names),
        _areas("Attacks that know nothing of the detectors: AUROC",
               [line for line in cases if line.kind == "attack"], figures, names),
        _areas("The same, told from images after benign changes instead of clean ones: AUROC",
               [line for line in cases if line.kind == "attack" and line.benign], figures, names, benign=True),
        _areas("Attacks with a benign change after them, counted where the goal is still reached: AUROC",
               [line for line in cases if line.kind == "processed"], figures, names),
        _fused([line for line in cases if line.kind in ("attack", "processed")]),
        _rates("Adversaries who know the detectors: succeeded and undetected",
               "Share of all images on which the goal was reached without an alarm at 5 %, beside the largest change in grey levels of 255.",
               [line for line in cases if line.kind in HOSTILE and line.images], figures, names, unseen=True),
        "<h2>ROC</h2>",
        *(_plot(line.case, figures, names) for line in cases if line.roc),
        _legend(names),
        *(f"<p>{escape(sentence)}</p>" for sentence in figures.skipped),
    ]  # fmt: skip
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>Detectors, {escape(figures.classifier)}</title>"
        f"<meta name='viewport' content='width=device-width'><style>{_STYLE}</style>{''.join(body)}</html>"
    )


def _table(head: list[str], rows: list[list[str]]) -> str:
    top = "".join(f"<th>{escape(word)}</th>" for word in head)
    lines = ("".join(f"<td>{escape(word)}</td>" for word in row) for row in rows)
    return f"<div class='wide'><table><tr>{top}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table></div>"


def _rates(
    title: str, words: str, cases: list[Line], figures: Figures, names: tuple[str, ...], *, unseen: bool = False
) -> str:
    ours = [name for name in names if name not in figures.peers]
    rows = []
    for case in cases:
        lines = [figures.line(case.case, name) for name in ours]
        shares = [_share(line.unseen if unseen else line.flagged) for line in lines]
        rows.append(
            [case.case, *([f"{case.changed:g}"] if unseen else []), f"{case.reached} of {case.images}", *shares]
        )
    head = ["case", *(["change"] if unseen else []), "images", *ours]
    return f"<h2>{escape(title)}</h2><p>{escape(words)}</p>{_table(head, rows)}"


def _share(rate: Rate | None) -> str:
    if rate is None or not rate.total:
        return "-"
    low, high = rate.interval
    return f"{100 * rate.share:.0f} % ({100 * low:.0f} to {100 * high:.0f})"


def _areas(title: str, cases: list[Line], figures: Figures, names: tuple[str, ...], *, benign: bool = False) -> str:
    rows = []
    for case in cases:
        lines = [figures.line(case.case, name) for name in names]
        areas = [line.benign if benign else line.area for line in lines]
        rows.append(
            [case.case, f"{case.reached} of {case.images}", *("-" if a is None else f"{a.value:.3f}" for a in areas)]
        )
    return f"<h2>{escape(title)}</h2>{_table(['case', 'reached', *names], rows)}"


def _fused(cases: list[Line]) -> str:
    rows = [[line.case, str(line.area), str(line.at_one), str(line.at_five)] for line in cases if line.area]
    return f"<h2>Fused, with intervals</h2>{_table(['case', 'AUROC', 'TPR at 1 % FPR', 'TPR at 5 % FPR'], rows)}"


def _plot(case: str, figures: Figures, names: tuple[str, ...]) -> str:
    lines = [f"<path d='M0 {_SIDE}L{_SIDE} 0' stroke='#bbb' stroke-dasharray='3' fill='none'/>"]
    for index, name in enumerate(names):
        points = figures.line(case, name).roc
        if not points:
            continue
        steps = f"M0 {_SIDE}" + "".join(f"V{_SIDE * (1 - y):.1f}H{_SIDE * x:.1f}" for x, y in points)
        width = 3 if name == FUSED else 1
        lines.append(
            f"<path d='{steps}' stroke='{_COLOURS[index % len(_COLOURS)]}' stroke-width='{width}' fill='none'/>"
        )
    return (
        f"<figure><svg width='{_SIDE}' height='{_SIDE}' role='img' aria-label='ROC of {escape(case, quote=True)}'>{''.join(lines)}</svg>"
        f"<figcaption>{escape(case)}</figcaption></figure>"
    )


def _legend(names: tuple[str, ...]) -> str:
    marks = (
        f"<span style='color:{_COLOURS[i % len(_COLOURS)]}'>&#9644; {escape(name)}</span>"
        for i, name in enumerate(names)
    )
    return f"<p>{' &nbsp; '.join(marks)}; across: false alarms, up: share caught.</p>"
