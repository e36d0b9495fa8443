"""The ConvNets on their test images, beside the report."""

from oneshot.page import reported
from oneshot.page.results import CONVNETS, Results
from oneshot.page.sections.beside import row


def section(results: Results) -> dict:
    """Compute the rows "tests"."""
    rows = []
    for net, name in CONVNETS.items():
        metrics = results.metrics[f"train_convnet/{net}"]
        report = reported.CONVNETS[net]
        rows.append(row(f"{name}: accuracy", report.accuracy, metrics["test"]["accuracy"]))
        rows.append(row(f"{name}: loss", report.loss, metrics["test"]["loss"]))
        averaged = metrics["test_mirror_averaged"]["accuracy"]
        rows.append(row(f"{name}: accuracy, averaged with mirror images", None, averaged))
    return {"tests": rows}
