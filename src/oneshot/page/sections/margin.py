"""The siamese nets with other margins."""

from oneshot.page import charts
from oneshot.page.results import Results
from oneshot.page.spread import value_text
from oneshot.page.studies import Table


def section(results: Results) -> dict:
    """Compute the table "sweep" and the charts "sweep-METRIC"; none if the sweep has not run."""
    table = results.study("sweep")
    if table.empty:
        return {}
    accuracy = f"{table['shots'].iloc[0]}-shot accuracy"
    titles = {"unseen_accuracy": f"{accuracy} on unseen digits", "unseen_auc": "AUC of pairs of unseen digits"}
    drawn = {f"sweep-{column}": charts.sweep(table, column, title) for column, title in titles.items()}
    columns = {"unseen_accuracy": f"unseen digits: {accuracy}"}
    columns |= {f"{group}_auc": f"{group} digits: AUC" for group in ("unseen", "seen")}
    rows = [
        (row["net"], f"{row['margin']:g}", *(value_text(row[column]) for column in columns))
        for row in table.sort_values(["net", "margin"]).to_dict("records")
    ]
    return {"charts": drawn, "tables": {"sweep": Table(("net", "margin", *columns.values()), rows)}}
