"""What a run has reached, in five lines: its main metrics beside the report's, and where to look further."""

import json
from pathlib import Path

from oneshot.core.params import read
from oneshot.page import reported


def lines(folder: str | Path) -> list[str]:
    """Sum up the metrics of a project whose pipeline has run; the report's numbers only for the report's classes."""
    folder = Path(folder)
    classes = read(folder)["cifar10"]
    one_shot = reported.ACCURACY.values()

    def metrics(name: str) -> dict:
        return json.loads((folder / f"metrics/{name}.json").read_text())

    rows = [
        (f"ConvNet, {name.removesuffix('-class')} classes of CIFAR-10, test accuracy", accuracy, comparable)
        for name, comparable in (
            ("10-class", reported.CONVNETS["10-class"].accuracy),
            ("6-class", reported.CONVNETS["6-class"].accuracy if reported.same_net(classes) else None),
        )
        for accuracy in [metrics(f"train_convnet/{name}")["test"]["accuracy"]]
    ]
    rows.append(
        (
            f"{len(classes['unseen_classes'])} unseen classes, one example of each, the report's protocol, accuracy",
            metrics("one_shot_cifar10")["report_protocol"]["accuracy"],
            sum(one_shot) / len(one_shot) if reported.same_task(classes) else None,
        )
    )
    rows.append(
        (
            "unseen digits, one example of each, siamese net in 3-D, accuracy",
            metrics("one_shot_mnist/siamese-3d")["unseen"]["shot_1"]["accuracy"],
            None,
        )
    )
    return [
        *(f"{what}: {value:.3f}" + (f" (report: {other:.2f})" if other else "") for what, value, other in rows),
        f"to look at: {folder / 'plots/page.html'}, all metrics by `dvc metrics show`, curves by `dvc plots show`",
    ]
