"""What limits one-shot accuracy on unseen digits: raw pixels, and siamese nets in more dimensions."""

import pandas as pd

from oneshot.page.results import Results
from oneshot.page.spread import half_width


def section(results: Results) -> dict:
    """Compute the rows "ceilings"; no rows if the study has not run."""
    if results.ceilings.empty:
        return {"ceilings": []}
    table = over_trainings(results.ceilings).astype(object)
    # Raw pixels, several nets together and a single training have no deviation.
    return {"ceilings": table.where(table.notna(), None).to_dict("records")}


def over_trainings(table: pd.DataFrame) -> pd.DataFrame:
    """Summarise ceilings.csv: a row per number of shots and net, with mean, deviation (n - 1),
    trainings and the half-width of the mean's 95% interval.

    The nets stand in the order of the table, fewest shots first; trainings: 0 for raw pixels and for several
    nets together.
    """
    groups = table.sort_values("shots", kind="stable").groupby(["shots", "net"], sort=False)
    summary = groups["accuracy"].agg(mean="mean", deviation="std").assign(trainings=groups["seed"].count())
    return summary.assign(interval_95=half_width(summary["deviation"], summary["trainings"])).reset_index()
