"""The ConvNets' test results compared with the report's."""

from oneshot.page.metrics import of_report
from oneshot.page.results import Results
from oneshot.page.sections.beside import row


def section(results: Results) -> dict:
    """Compute the rows "tests", and "cards": the accuracies alone, with their "mean" over
    trainings, by net."""
    cifar10 = results.params["cifar10"]
    rows, cards = [], []
    for net, name in results.convnets.items():
        metrics = results.metrics[f"train_convnet/{net}"]
        accuracy, loss = (
            row(f"{name}: {kind}", of_report(f"{net} net, test {kind}", cifar10), metrics["test"][kind])
            for kind in ("accuracy", "loss")
        )
        others = results.mean_with_others(f"train_convnet/{net}", "test.accuracy", metrics["test"]["accuracy"])
        cards.append({**accuracy, "name": name, "mean": others})
        averaged = metrics["test_flip_averaged"]["accuracy"]
        rows += [accuracy, loss, row(f"{name}: accuracy with flip test-time averaging", None, averaged)]
    return {"tests": rows, "cards": cards}
