"""The 10-class net by the report's recipe and by ours, with and without augmentation, over minutes of training."""

from oneshot.page import charts
from oneshot.page.results import Results
from oneshot.page.studies import RECIPES


def section(results: Results) -> dict:
    """Draw the chart "ablations"; none if the study has not run."""
    table = results.study("ablations")
    if table.empty:
        return {}
    named = table.replace({"training": RECIPES})
    return {"charts": {"ablations": charts.over_minutes(named, "validation_accuracy", "validation accuracy (share)")}}
