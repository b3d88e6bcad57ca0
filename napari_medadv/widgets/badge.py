"""Badge: a standing in a few words, on a colour that says the same."""

from __future__ import annotations

from qtpy.QtWidgets import QLabel, QSizePolicy

from napari_medadv.widgets.standing import Standing

TONES = {"bad": "#b3362f", "unsure": "#96650a", "plain": "#5f636b", "good": "#1f7a4d"}
"""From what must be read first to what may be read last."""


class Badge(QLabel):
    """Red for what is amiss, brown for doubt, grey for what nobody knows, green only for what is proven."""

    def __init__(self) -> None:
        super().__init__()
        self.setWordWrap(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)

    def show_standing(self, standing: Standing | None) -> None:
        """Turn to a standing, or hide."""
        self.setVisible(standing is not None)
        if standing is None:
            return
        self.setText(standing.words)
        self.setToolTip("\n".join(standing.sentences))
        self.setStyleSheet(
            f"background: {TONES[standing.tone]}; color: white; border-radius: 4px; padding: 3px 8px; font-weight: bold;"
        )
