"""The page's charts in plotly.js's format: plain dicts of data and layout; the page's script adds the theme."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
import pandas as pd

from oneshot.plotting.palette import COLOURS, MARKERS

# Colours for things other than classes, with a contrast of 3 to 1 on a light and on a dark ground; the first two are
# distinguishable with any colour blindness, and all by dash, hatch or symbol.
FIRST, SECOND = "#3b82d0", "#d55e00"
_SERIES = ((FIRST, "circle"), (SECOND, "square"), ("#a05fd0", "diamond"), ("#717581", "cross"), ("#8f8340", "x"))
# matplotlib's markers as plotly.js names them; its 3-D charts have fewer.
SYMBOLS = {
    "o": "circle",
    "s": "square",
    "^": "triangle-up",
    "D": "diamond",
    "v": "triangle-down",
    "P": "cross",
    "X": "x",
}
# In 3-D, plotly.js draws "x" as a letter, which some fonts lack.
SYMBOLS_3D = SYMBOLS | {"^": "diamond-open", "v": "square-open", "X": "circle-open"}


def curves(training: Sequence[float], validation: Sequence[float], title: str) -> dict:
    """Draw a metric of training and validation, one value per epoch; title: its name, with the unit if any."""
    lines = {"training": (training, FIRST, "solid", "circle"), "validation": (validation, SECOND, "dash", "square")}
    data = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name,
            "x": list(range(1, len(values) + 1)),
            "y": _numbers(values),
            "line": {"color": colour, "dash": dash, "width": 2.5},
            "marker": {"symbol": symbol, "size": 8},
            "hovertemplate": "epoch %{x}: %{y:.3f}<extra>" + name + "</extra>",
        }
        for name, (values, colour, dash, symbol) in lines.items()
    ]
    epochs = max(len(training), len(validation))
    step = max(1, -(-epochs // 10))
    return {
        "data": data,
        "layout": {
            "xaxis": {"title": {"text": "epoch"}, "dtick": step, "range": [0.7, epochs + 0.3]},
            "yaxis": {"title": {"text": title}},
        },
    }


def scatter(points: np.ndarray, labels: np.ndarray, names: Sequence[str], axes: Sequence[str], tiles: Sequence) -> dict:
    """Draw points by class, in 2-D or 3-D; hovering over one shows its image.

    points: (n, 2 or 3); labels: (n,) integers; names: of each label; tiles: (n,) positions of the images in the sheet.
    """
    solid = points.shape[1] == 3
    places = np.asarray(tiles)
    data = []
    for label in np.unique(labels):
        chosen = labels == label
        symbol = (SYMBOLS_3D if solid else SYMBOLS)[MARKERS[label]]
        data.append(
            {
                "type": "scatter3d" if solid else "scatter",
                "mode": "markers",
                "name": names[label],
                **{axis: _numbers(column) for axis, column in zip("xyz", points[chosen].T, strict=False)},
                "customdata": places[chosen].tolist(),
                "marker": {
                    "color": COLOURS[label],
                    "symbol": symbol,
                    "size": (3.5 if symbol.endswith("open") else 3) if solid else 7,
                    "opacity": 0.85,
                    "line": {"width": 0 if solid else 0.6},
                },
                "hovertemplate": f"{names[label]}<extra></extra>",
            }
        )
    titles = {f"{axis}axis": {"title": {"text": text}} for axis, text in zip("xyz", axes, strict=False)}
    if solid:
        camera = {"eye": {"x": 1.5, "y": 1.5, "z": 0.95}, "center": {"x": 0, "y": 0, "z": -0.15}}
        return {"data": data, "layout": {"scene": {**titles, "aspectmode": "cube", "camera": camera}}}
    return {"data": data, "layout": {**titles, "hovermode": "closest"}}


def confusion(matrix: np.ndarray, names: Sequence[str]) -> dict:
    """Draw a confusion matrix: rows = true class, columns = predicted, shade and text = share of the row.

    matrix: (classes, classes) counts.
    """
    share = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    return {
        "data": [
            {
                "type": "heatmap",
                "x": list(names),
                "y": list(names),
                "z": [_numbers(row) for row in share],
                "customdata": np.asarray(matrix).tolist(),
                "text": [[f"{100 * value:.0f}%" for value in row] for row in share],
                "texttemplate": "%{text}",
                "hovertemplate": "%{y} classified as %{x}: %{customdata:,} (%{text})<extra></extra>",
                "zmin": 0,
                "zmax": 1,
                "showscale": False,
                "xgap": 1,
                "ygap": 1,
            }
        ],
        "layout": {
            # Otherwise names such as "5" would be numbers.
            "xaxis": {"title": {"text": "predicted class"}, "type": "category", "showgrid": False},
            "yaxis": {"title": {"text": "true class"}, "type": "category", "autorange": "reversed", "showgrid": False},
        },
    }


def bars(names: Sequence[str], groups: Mapping[str, tuple[Sequence, Sequence | None]], title: str) -> dict:
    """Draw shares of classes as bars side by side.

    groups: {name: (a value per class, None if unknown; half-widths of their intervals, or None)}.
    """
    data = []
    for (name, (values, intervals)), (colour, pattern) in zip(
        groups.items(), ((SECOND, "/"), (FIRST, "")), strict=True
    ):
        data.append(
            {
                "type": "bar",
                "name": name,
                "x": list(names),
                "y": _numbers(values),
                "marker": {"color": colour, "pattern": {"shape": pattern}},
                "hovertemplate": "%{x}: %{y:.3f}<extra>" + name + "</extra>",
                **({"error_y": {"type": "data", "array": _numbers(intervals)}} if intervals else {}),
            }
        )
    layout = {
        "barmode": "group",
        "xaxis": {"type": "category", "title": {"text": "class"}},
        "yaxis": {"title": {"text": title}, "range": [0, 1], "tickformat": ".0%"},
    }
    return {"data": data, "layout": layout}


def methods(rows: Sequence[tuple[str, str, float, float]]) -> dict:
    """Draw the accuracy of methods with its interval, in one colour per number of shots.

    rows: (shots, method, accuracy, half-width of its interval); the method that is best with fewest shots is on top.
    """
    shots = sorted({row[0] for row in rows}, key=lambda name: int(name.split("-")[0]))
    order = [method for _, method, _, _ in sorted((row for row in rows if row[0] == shots[0]), key=lambda row: row[2])]
    data = []
    for name, (colour, symbol) in zip(shots, cycle(_SERIES), strict=False):
        found = {method: (accuracy, interval) for shot, method, accuracy, interval in rows if shot == name}
        listed = [method for method in order if method in found]
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": name,
                "x": _numbers([found[method][0] for method in listed]),
                "y": listed,
                "error_x": {"type": "data", "array": _numbers([found[method][1] for method in listed])},
                "marker": {"color": colour, "symbol": symbol, "size": 10},
                "hovertemplate": "%{y}: %{x:.3f}<extra>" + name + "</extra>",
            }
        )
    layout = {
        "xaxis": {"title": {"text": "accuracy"}, "tickformat": ".0%"},
        "yaxis": {"type": "category"},
        "hovermode": "closest",
    }
    return {"data": data, "layout": layout}


def vectors(features: np.ndarray, names: Sequence[str]) -> dict:
    """Draw representation vectors as rows of bars over a common axis: features (n, units), names of their classes."""
    data, layout = [], {"showlegend": False, "bargap": 0}
    top = _number(float(features.max()))
    count = len(names)
    for place, values in enumerate(features):
        number = "" if place == 0 else str(place + 1)
        data.append(
            {
                "type": "bar",
                "name": names[place],
                "y": _numbers(values),
                "x": list(range(1, len(values) + 1)),
                "xaxis": "x",
                "yaxis": f"y{number}",
                "marker": {"color": FIRST, "line": {"width": 0}},
                "hovertemplate": "unit %{x}: %{y:.2f}<extra>" + names[place] + "</extra>",
            }
        )
        high = 1 - place / count
        layout[f"yaxis{number}"] = {
            "domain": [_number(high - 0.88 / count), _number(high)],
            "range": [0, top],
            "title": {"text": names[place]},
            "nticks": 3,
        }
    last = "" if count == 1 else str(count)
    layout["xaxis"] = {
        "title": {"text": "unit of the representation"},
        "anchor": f"y{last}",
    }
    return {"data": data, "layout": layout}


def sweep(table: pd.DataFrame, column: str, title: str) -> dict:
    """Draw a metric over the margin, one line per net; table: with columns margin, net and `column`."""
    data = []
    parts = sorted(table.groupby("net"))
    for (net, part), (colour, symbol) in zip(parts, cycle(_SERIES), strict=False):
        mean = part.groupby("margin", sort=True)[column].agg("mean")
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": net,
                "x": mean.index.tolist(),
                "y": _numbers(mean),
                "line": {"color": colour, "dash": "solid" if symbol == "circle" else "dash", "width": 2.5},
                "marker": {"symbol": symbol, "size": 9},
                "hovertemplate": "margin %{x}: %{y:.3f}<extra>" + f"{net}</extra>",
            }
        )
    margins = sorted(table["margin"].unique().tolist())
    axis = {"title": {"text": "margin (distance, log scale)"}, "type": "log", "tickvals": margins}
    axis["ticktext"] = [f"{margin:g}" for margin in margins]
    return {"data": data, "layout": {"xaxis": axis, "yaxis": {"title": {"text": title}}}}


def over_minutes(table: pd.DataFrame, column: str, title: str) -> dict:
    """Draw a metric over the minutes of training, one line per training; table: research/tables/report_recipe.csv."""
    data = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name,
            "x": _numbers(part["minutes"]),
            "y": _numbers(part[column]),
            "line": {"color": colour, "dash": "solid" if symbol == "circle" else "dash", "width": 2.5},
            "marker": {"symbol": symbol, "size": 7},
            "hovertemplate": "%{x:.1f} minutes: %{y:.3f}<extra>" + f"{name}</extra>",
        }
        for (name, part), (colour, symbol) in zip(table.groupby("training", sort=False), cycle(_SERIES), strict=False)
    ]
    return {"data": data, "layout": {"xaxis": {"title": {"text": "minutes"}}, "yaxis": {"title": {"text": title}}}}


def _numbers(values) -> list[float | None]:
    return [None if value is None or value != value else _number(value) for value in values]


def _number(value: float) -> float:
    """Round to four digits, which are more than a screen shows, to keep the page small."""
    return float(f"{float(value):.4g}")
