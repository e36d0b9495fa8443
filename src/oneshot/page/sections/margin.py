"""The siamese nets with other margins."""

from oneshot.nets.table import SIAMESE
from oneshot.page import charts
from oneshot.page.results import Results
from oneshot.page.spread import spread, value_text
from oneshot.page.studies import Table


def section(results: Results) -> dict:
    """Compute the table "sweep", the charts "sweep-METRIC", and "margin_noise", by how much trainings with other seeds
    differ; none if the sweep has not run."""
    table = results.study("sweep")
    if table.empty:
        return {}
    shots = table["shots"].iloc[0]
    accuracy = f"{shots}-shot accuracy"
    deviations = spread(results.study("seeds")).set_index("metric")["deviation"].dropna()
    names = {net: f"{net}, unseen digits, {shots}-shot" for net in SIAMESE}
    noise = [f"{deviations[name]:.3f} ({net})" for net, name in names.items() if name in deviations]
    titles = {"unseen_accuracy": f"{accuracy} on unseen digits", "unseen_auc": "AUC of pairs of unseen digits"}
    drawn = {f"sweep-{column}": charts.sweep(table, column, title) for column, title in titles.items()}
    columns = {"unseen_accuracy": f"unseen digits: {accuracy}"}
    columns |= {f"{group}_auc": f"{group} digits: AUC" for group in ("unseen", "seen")}
    rows = [
        (row["net"], f"{row['margin']:g}", *(value_text(row[column]) for column in columns))
        for row in table.sort_values(["net", "margin"]).to_dict("records")
    ]
    tables = {"sweep": Table(("net", "margin", *columns.values()), rows)}
    return {"charts": drawn, "tables": tables, "margin_noise": noise}
