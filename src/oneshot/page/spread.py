"""The spread of metrics over trainings with different seeds."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats


class Mean(NamedTuple):
    """A metric's mean over trainings and the half-width of its 95% interval."""

    mean: float
    interval_95: float
    trainings: int

    @property
    def text(self) -> str:
        """The mean, its interval, and the number of trainings."""
        return f"{value_text(self.mean, self.interval_95)} ({self.trainings})"


def spread(trainings: pd.DataFrame) -> pd.DataFrame:
    """Summarise research/tables/seeds.csv: one row per metric that was measured.

    trainings: one row per training; the columns besides seed, machine and inputs are metrics. Columns: mean, deviation
    (n - 1), interval_95 (half-width of the mean's 95% interval by Student's t) and trainings (their number). A single
    training has neither deviation nor interval.
    """
    metrics = trainings.drop(columns=["seed", "machine", "inputs"], errors="ignore")
    if metrics.empty:
        return pd.DataFrame(columns=["metric", "mean", "deviation", "interval_95", "trainings"])
    count, deviation = metrics.count(), metrics.std()
    columns = {"mean": metrics.mean(), "deviation": deviation, "trainings": count}
    columns["interval_95"] = half_width(deviation, count)
    return pd.DataFrame(columns).loc[count > 0].rename_axis("metric").reset_index()


def half_width(deviation, count):
    """The half-width of a mean's 95% interval by Student's t; deviation: (n - 1) of `count` trainings, of any shape."""
    return stats.t.ppf(0.975, np.maximum(count - 1, 1)) * deviation / np.sqrt(np.maximum(count, 1))


def half_width_text(value: float) -> str:
    """Write the half-width of an interval with three decimals."""
    return f"{value:.3f}" if value >= 0.0005 else "<0.001"


def value_text(value: float | None, interval_95: float | None = None) -> str | None:
    """Write a value and its interval, which a single training does not have; None if the value is unknown."""
    if value is None or np.isnan(value):
        return None
    if interval_95 is None or np.isnan(interval_95):
        return f"{value:.3f}"
    return f"{value:.3f} ± {half_width_text(interval_95)}"


def mean_text(means: pd.DataFrame, metric: str) -> str | None:
    """Write a metric's mean over trainings and their number; None if there is none. means: of `spread`."""
    for row in means.loc[means["metric"] == metric].to_dict("records"):
        return Mean(row["mean"], row["interval_95"], row["trainings"]).text
    return None


def gain_text(gain: float, interval_95: float) -> str:
    """Write a gain in accuracy with its interval, in points, with the digits that the interval needs."""
    if gain == interval_95 == 0:
        return "no difference"
    digits = next(digits for digits in (1, 2, 3, 4) if digits == 4 or round(100 * interval_95, digits))
    # No minus sign before what is rounded to 0.
    return f"{round(100 * gain, digits) + 0.0:+.{digits}f} ± {100 * interval_95:.{digits}f}"


def mean_with(trainings: pd.DataFrame, metric: str | None, seed: int, value: float) -> Mean | None:
    """Average a named metric over trainings, if a run is one of several of them: if they have its seed with its value.

    trainings: research/tables/seeds.csv. The stored trainings say nothing about a run with other parameters.
    """
    rows = spread(trainings)
    rows = rows.loc[(rows["metric"] == metric) & (rows["trainings"] > 1)]
    if rows.empty:
        return None
    own = trainings.loc[trainings["seed"] == seed, metric].to_numpy(float)
    # The page computes some values again, without the rounding of metrics files.
    if not np.isclose(own, value, rtol=0, atol=1e-5).any():
        return None
    mean, interval, count = rows[["mean", "interval_95", "trainings"]].to_numpy(float)[0]
    return Mean(float(mean), float(interval), int(count))
