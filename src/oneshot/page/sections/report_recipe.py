"""The 10-class net by the report's recipe and by ours, over minutes of training."""

from oneshot.page import charts
from oneshot.page.results import Results
from oneshot.page.studies import RECIPES


def section(results: Results) -> dict:
    """Draw the chart "report-recipe"; none if the study has not run."""
    table = results.study("report_recipe")
    if table.empty:
        return {}
    named = table.replace({"training": RECIPES})
    chart = charts.over_minutes(named, "validation_accuracy", "validation accuracy (share)")
    return {"charts": {"report-recipe": chart}}
