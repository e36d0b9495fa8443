"""The 10-class net by the report's recipe and by ours, with and without augmentation, over minutes of training."""

import pandas as pd

from oneshot.page import charts
from oneshot.page.results import Results

_NAMES = {
    "ours": "our recipe",
    "ours-unaugmented": "our recipe, without augmentation",
    "report": "recipe of the report",
    "report-unaugmented": "recipe of the report, without augmentation",
}


def section(results: Results) -> dict:
    """Compute the rows "ablations" and the chart "ablations"; no rows if the study has not run."""
    table = results.ablations
    if table.empty:
        return {"ablations": []}
    drawn = charts.over_minutes(
        table.replace({"training": _NAMES}), "validation_accuracy", "validation accuracy (share)"
    )
    last = last_epochs(table).astype(object)
    # A training that was interrupted has no test metrics.
    last = last.where(last.notna(), None)
    rows = [row | {"training": _NAMES[row["training"]]} for row in last.to_dict("records")]
    return {"charts": {"ablations": drawn}, "ablations": rows}


def last_epochs(table: pd.DataFrame) -> pd.DataFrame:
    """Select the last epoch of each training; "ours_by_then" is our recipe's validation accuracy at that minute.

    table: research/tables/ablations.csv. Before the first epoch of our recipe ends, "ours_by_then" is None.
    """
    last = table.groupby("training", sort=False).tail(1)
    ours = table[table["training"] == "ours"]
    by_then = [
        ours.loc[ours["minutes"] <= minutes, "validation_accuracy"].tail(1).tolist() for minutes in last["minutes"]
    ]
    return last.assign(ours_by_then=pd.Series([(*found, None)[0] for found in by_then], last.index, object))
