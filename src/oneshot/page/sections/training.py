"""The learning curves of all nets."""

from oneshot.page import charts
from oneshot.page.results import Results


def section(results: Results) -> dict:
    """Compute the charts "curve-NET-loss" and "curve-NET-accuracy"."""
    drawn = {}
    for net, table in results.curves.items():
        loss = "contrastive loss (no unit)" if net.startswith("siamese") else "cross-entropy (nats)"
        for metric, title in (("loss", loss), ("accuracy", "accuracy (share)")):
            values = [
                table[(table["part"] == part) & (table["metric"] == metric)]["value"].tolist()
                for part in ("training", "validation")
            ]
            drawn[f"curve-{net}-{metric}"] = charts.curves(*values, title)
    return {"charts": drawn}
