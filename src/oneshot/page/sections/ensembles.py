"""One-shot accuracy by the nets of several trainings together."""

import pandas as pd

from oneshot.page.results import Results


def section(results: Results) -> dict:
    """Compute the rows "ensembles" and the titles of their columns; no rows if `make ensembles` has not run."""
    means, deviations = (frame.astype(object).where(frame.notna(), None) for frame in over_ensembles(results.ensembles))
    rows = [
        {"setting": setting, "cells": list(zip(means.loc[setting], deviations.loc[setting], strict=True))}
        for setting in means.index
    ]
    return {"ensembles": rows, "ensemble_sizes": list(means)}


def over_ensembles(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Summarise docs/ensembles.csv: the mean accuracy and its deviation (n - 1) over the ensembles of each size.

    Both have a row per setting, and a column per recipe and number of nets, whose title says how many ensembles there
    are. A single ensemble has no deviation; what was not measured is missing.
    """
    sizes = ["recipe", "nets"]
    titles = {
        size: f"{size[0]}: {size[1]} net{'s' if size[1] != 1 else ''} ({rows['seeds'].nunique()})"
        for size, rows in table.groupby(sizes)
    }
    found = table.groupby(["setting", *sizes], sort=False)["accuracy"]
    both = (values.unstack(sizes).reindex(columns=list(titles)) for values in (found.mean(), found.std()))
    means, deviations = (frame.set_axis(list(titles.values()), axis=1) for frame in both)
    return means, deviations
