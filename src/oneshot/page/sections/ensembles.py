"""One-shot accuracy by the nets of several trainings together."""

import pandas as pd

from oneshot.page.results import Results
from oneshot.page.spread import half_width


def section(results: Results) -> dict:
    """Compute the rows "ensembles" and the titles of their columns; no rows if the study has not run."""
    if results.ensembles.empty:
        return {"ensembles": [], "ensemble_sizes": []}
    means, intervals = over_ensembles(results.ensembles)
    means, intervals = (frame.astype(object).where(frame.notna(), None) for frame in (means, intervals))
    rows = [
        {"setting": setting, "cells": list(zip(means.loc[setting], intervals.loc[setting], strict=True))}
        for setting in means.index
    ]
    return {"ensembles": rows, "ensemble_sizes": list(means)}


def over_ensembles(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Summarise ensembles.csv: mean accuracies over the ensembles of each size, and their 95% intervals.

    Both have a row per setting, and a column per recipe and number of nets, whose title says how many ensembles there
    are. Half-widths are over trainings, by Student's t. Ensembles of several nets share nets, so their interval would
    be too small: it is missing, as that of a single training, and as what was not measured.
    """
    shape = {"values": "accuracy", "index": "setting", "columns": ["recipe", "nets"], "sort": False}
    means = table.pivot_table(aggfunc="mean", **shape).sort_index(axis=1)
    single = table.loc[table["nets"] == 1]
    deviations, trainings = (
        single.pivot_table(aggfunc=how, **shape).reindex(index=means.index, columns=means.columns)
        for how in ("std", "count")
    )
    intervals = half_width(deviations, trainings)
    counts = table.groupby(["recipe", "nets"])["seeds"].nunique()
    titles = [f"{recipe}: {nets} net{'s' if nets != 1 else ''} ({counts[recipe, nets]})" for recipe, nets in means]
    return means.set_axis(titles, axis=1), intervals.set_axis(titles, axis=1)
