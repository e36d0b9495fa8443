"""The ConvNets' test results compared with the report's."""

from oneshot.page import reported
from oneshot.page.results import Results
from oneshot.page.sections.beside import row


def section(results: Results) -> dict:
    """Compute the rows "tests", and "cards": the accuracies alone, with their "mean" over
    trainings, by net."""
    rows, cards = [], []
    comparable = {"10-class": True, "6-class": reported.same_net(results.params["cifar10"])}
    for net, name in results.convnets.items():
        metrics = results.metrics[f"train_convnet/{net}"]
        report = reported.CONVNETS[net] if comparable[net] else reported.TestMetrics(None, None)
        others = results.mean_with_others(f"train_convnet/{net}", "test.accuracy", metrics["test"]["accuracy"])
        cards.append({**row(name, report.accuracy, metrics["test"]["accuracy"]), "mean": others})
        rows.append(row(f"{name}: accuracy", report.accuracy, metrics["test"]["accuracy"]))
        rows.append(row(f"{name}: loss", report.loss, metrics["test"]["loss"]))
        averaged = metrics["test_flip_averaged"]["accuracy"]
        rows.append(row(f"{name}: accuracy with flip test-time averaging", None, averaged))
    return {"tests": rows, "cards": cards}
