"""One-shot accuracy by the nets of several trainings together."""

import pandas as pd

from oneshot.page.results import Results


def section(results: Results) -> dict:
    """Compute the rows "ensembles", and the names of their settings; no rows if `make ensembles` has not run."""
    table = over_ensembles(results.ensembles)
    settings = [name for name in table if name not in ("recipe", "nets", "ensembles")]
    return {"ensembles": table.to_dict("records"), "ensemble_settings": settings}


def over_ensembles(table: pd.DataFrame) -> pd.DataFrame:
    """Summarise docs/ensembles.csv: a row per recipe and number of nets, with the mean accuracy of each setting.

    ensembles: how many there are of this size; settings stand in the order of the table.
    """
    sizes = ["recipe", "nets"]
    means = table.pivot_table("accuracy", sizes, "setting", sort=False).sort_index()
    counts = table.groupby(sizes).agg(ensembles=("seeds", "nunique"))
    return counts.join(means).reset_index()
