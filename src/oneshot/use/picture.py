"""A trial as a picture: accuracy by the number of examples, and the confusion matrix."""

import io
from collections.abc import Sequence

import numpy as np
from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from oneshot.core.errors import shown
from oneshot.use.trial import Trial

# More classes have no room for a number in each cell, and many more none for their names.
_NUMBERED, _NAMED = 20, 60
_LETTERS = 20


@style.context("default")
def draw(trial: Trial, names: Sequence[str], title: str) -> bytes:
    """Draw a trial, the matrix for one example of each class, as PNG. names: of the classes; title: what was tried."""
    figure = Figure((12, 5.4), dpi=120, layout="constrained")
    curve, matrix = figure.subplots(1, 2)
    figure.suptitle(title, parse_math=False)
    _draw_curve(curve, trial, len(names))
    _draw_matrix(matrix, trial.confusions[1], names)
    matrix.set_title("from one example of each class")
    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    # Of a name in a script that the font does not have, matplotlib warns, and draws boxes.
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _draw_curve(ax, trial: Trial, ways: int) -> None:
    table = trial.curve
    shots = table["shots"].to_numpy()
    ax.fill_between(
        shots, table["low"], table["high"], alpha=0.2, linewidth=0, label="19 of 20 choices of the examples"
    )
    ax.errorbar(shots, table["accuracy"], table["interval_95"], marker="o", capsize=3, label="mean, 95% interval")
    if len(shots) == 1:
        ax.vlines(shots, table["low"], table["high"], alpha=0.3, linewidth=8)
    ax.axhline(1 / ways, linestyle=":", color="#717581", label="chance")
    ax.set_xscale("log")
    ax.set_xticks(shots, [str(count) for count in shots])
    ax.minorticks_off()
    ax.set_ylim(0, 1.02)
    ax.set_xlabel("examples of each class")
    ax.set_ylabel("accuracy")
    ax.grid(alpha=0.3)
    ax.legend(loc="lower right", frameon=False)


def _draw_matrix(ax, counts: np.ndarray, names: Sequence[str]) -> None:
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
    if len(names) <= _NUMBERED:
        size = 11 if len(names) <= 10 else 7
        for (row, column), value in np.ndenumerate(share):
            colour = "white" if value > 0.6 else "black"
            ax.text(column, row, f"{100 * value:.0f}", ha="center", va="center", color=colour, fontsize=size)
    if len(names) <= _NAMED:
        named = map(shown, names)
        short = [name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…" for name in named]
        size = 10 if len(names) <= _NUMBERED else 5
        ax.set_xticks(range(len(names)), short, rotation=45, ha="right", fontsize=size, parse_math=False)
        ax.set_yticks(range(len(names)), short, fontsize=size, parse_math=False)
    ax.set_xlabel("predicted class, % of the true one")
    ax.set_ylabel("true class")
