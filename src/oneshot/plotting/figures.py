"""Tables drawn as PNG, with the same bytes each time: labelled axes, class names, one colour per class."""

import io
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from oneshot.plotting.palette import COLOURS, MARKERS

# The figures are drawn in the style "default": matplotlib reads a matplotlibrc in the working folder, whatever its
# variables say. Sizes in inches and points; text is still readable at half size.
_SIDE = 5.6
_DPI = 150
_TITLE, _LABEL, _TICK = 16, 15, 13
_TITLE_LETTERS = 36


def by_part(table: pd.DataFrame, title: str) -> dict[str, pd.DataFrame]:
    """Split a table by its column `part`, if it has one: {title of a panel: its rows}."""
    if "part" not in table:
        return {title: table}
    panels = {}
    for part, rows in table.groupby("part", sort=False):
        # A title that is wider than its panel would run into the next one's.
        between = ": " if len(f"{title}: {part}") <= _TITLE_LETTERS else "\n"
        panels[f"{title}{between}{part}"] = rows
    return panels


@style.context("default")
def draw_confusion(panels: Mapping[str, pd.DataFrame]) -> bytes:
    """Draw confusion matrices side by side: rows = true class, columns = predicted, shade = share of the row.

    panels: {title: table} with columns true_class, predicted_class, count, and optionally shots, which must be
    constant; classes are in the order of the table.
    """
    figure = _figure(_SIDE * len(panels), _SIDE + 0.3)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for ax, (title, table) in zip(axes, panels.items(), strict=True):
        names = table["true_class"].drop_duplicates()
        counts = table.pivot(index="true_class", columns="predicted_class", values="count").loc[names, names].to_numpy()
        share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
        ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
        for (row, column), value in np.ndenumerate(share):
            ax.text(
                column,
                row,
                f"{100 * value:.0f}",
                ha="center",
                va="center",
                color="white" if value > 0.6 else "black",
                fontsize=_LABEL if len(names) <= 6 else 11,
            )
        ticks = np.arange(len(names))
        ax.set_xticks(ticks, names, fontsize=_TICK)
        ax.set_yticks(ticks, names, fontsize=_TICK)
        ax.set_xlabel("predicted class", fontsize=_LABEL)
        ax.set_ylabel("true class", fontsize=_LABEL)
        ax.set_title(title, fontsize=_TITLE)
    table = next(iter(panels.values()))
    shots = f"{table['shots'].iloc[0]}-shot; " if "shots" in table else ""
    figure.supxlabel(f"{shots}numbers: % of the true class", fontsize=_TICK)
    return png(figure)


@style.context("default")
def draw_scatter(panels: Mapping[str, pd.DataFrame], *, one_space: bool) -> bytes:
    """Draw points by class, in 2-D or 3-D, panels side by side.

    panels: {title: table} with columns x, y (and z), label (integer, 0 .. 9, which determines colour and marker) and
    class (its name); one_space: whether the panels show the same space and therefore share their axes.
    """
    columns = [column for column in "xyz" if column in next(iter(panels.values()))]
    solid = len(columns) == 3
    figure = _figure(_SIDE * len(panels), _SIDE + 0.7)
    kind = {"projection": "3d"} if solid else {}
    axes = figure.subplots(1, len(panels), squeeze=False, subplot_kw=kind)[0]
    everything = pd.concat(list(panels.values()))
    for ax, (title, table) in zip(axes, panels.items(), strict=True):
        for label in np.unique(table["label"].to_numpy()):
            points = table.loc[table["label"] == label]
            ax.scatter(
                *(points[column].to_numpy() for column in columns),
                s=20,
                c=COLOURS[label],
                marker=MARKERS[label],
                alpha=0.85,
                # An edge keeps the pale colours visible on white.
                linewidths=0.3,
                edgecolors="#333333",
                label=points["class"].iloc[0],
            )
        space = everything if one_space else table
        for axis in columns:
            low, high = space[axis].min(), space[axis].max()
            margin = 0.04 * max(high - low, 1e-9)
            getattr(ax, f"set_{axis}lim")(low - margin, high + margin)
            # In 3-D the tick labels are where matplotlib would put the axis label.
            getattr(ax, f"set_{axis}label")(f"{axis} (no unit)", fontsize=_LABEL, labelpad=12 if solid else None)
        if solid:
            # matplotlib's layout ignores the labels of a 3-D box: keep them inside.
            ax.set_box_aspect(None, zoom=0.85)
        ax.tick_params(labelsize=_TICK - 3 if solid else _TICK)
        ax.set_title(title, fontsize=_TITLE, pad=-12 if solid else None)
        ax.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, -0.06 if solid else -0.14),
            ncols=min(5, table["label"].nunique()),
            fontsize=_TICK,
            markerscale=2.2,
            handletextpad=0.2,
            columnspacing=1,
            frameon=False,
        )
    return png(figure)


@style.context("default")
def png(figure: Figure) -> bytes:
    """Encode a figure as PNG, without matplotlib's version, which would change the bytes."""
    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _figure(width: float, height: float) -> Figure:
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12, rect=(0, 0, 1, 0.98))
    return Figure((width, height), dpi=_DPI, layout=layout)
