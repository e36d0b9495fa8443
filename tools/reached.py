"""What a run has reached, in five lines: its main metrics beside the report's, and where to look further."""

from pathlib import Path

from oneshot.core.files import read_json
from oneshot.core.params import read
from oneshot.page.metrics import METRICS, of_report, stored


def lines(folder: str | Path) -> list[str]:
    """Sum up the metrics of a project whose pipeline has run; the report's numbers only for the report's classes.

    What was not measured, as accuracy from one example without it among one_shot.shots, has no line.
    """
    folder = Path(folder)
    cifar10 = read(folder)["cifar10"]
    one_shot = f"{len(cifar10['unseen_classes'])} unseen classes, one example of each, the report's protocol, accuracy"
    titles = {
        "10-class net, test accuracy": "ConvNet, 10 classes of CIFAR-10, test accuracy",
        "6-class net, test accuracy": "ConvNet, 6 classes of CIFAR-10, test accuracy",
        "one-shot, the report's protocol": one_shot,
        "siamese-3d, unseen digits, 1-shot": "unseen digits, one example of each, siamese net in 3-D, accuracy",
    }
    shown = []
    for name, title in titles.items():
        file, key, _ = METRICS[name]
        value = stored({file: read_json(folder / f"metrics/{file}.json")}, file, key)
        if value is None:
            continue
        report = of_report(name, cifar10)
        shown.append(f"{title}: {value:.3f}" + (f" (report: {report:.2f})" if report else ""))
    page = folder / "plots/page.html"
    return [*shown, f"to look at: {page}, all metrics by `dvc metrics show`, curves by `dvc plots show`"]
