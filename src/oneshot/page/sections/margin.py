"""The siamese nets with other margins."""

from oneshot.page import charts
from oneshot.page.results import Results


def section(results: Results) -> dict:
    """Compute the rows "sweep" and the charts "sweep-METRIC"; no rows if the sweep has not run."""
    table = results.sweep
    if table.empty:
        return {"sweep": []}
    accuracy = f"{table['shots'].iloc[0]}-shot accuracy on unseen digits"
    titles = {"unseen_accuracy": accuracy, "unseen_auc": "AUC of pairs of unseen digits"}
    drawn = {f"sweep-{column}": charts.sweep(table, column, title) for column, title in titles.items()}
    return {"charts": drawn, "sweep": table.sort_values(["net", "margin"]).to_dict("records")}
