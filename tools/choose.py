"""Compare the feature transforms on base classes held out from a training, so that no novel class has a say.

Each fold trains the 6-class net's stages on half of the base classes and classifies the others from few examples.
"""

from pathlib import Path

import pandas as pd

from tools.experiments import run_queue, stored

FOLDS = {"held-out-345": ([0, 1, 2], [3, 4, 5]), "held-out-012": ([3, 4, 5], [0, 1, 2])}
# A fold has half of the images; these epochs take about a quarter of the 6-class net's time.
EPOCHS = "[[16,2],[24,2],[32,1]]"
TABLE = Path("docs/choice.csv")


def main() -> None:
    """Train the folds one after another, and write the accuracy of each method and number of shots."""
    run_queue(
        {
            name: [
                f"cifar10.base_classes={trained}",
                f"cifar10.novel_classes={held_out}",
                f"convnet.epochs.six_class={EPOCHS}",
            ]
            for name, (trained, held_out) in FOLDS.items()
        },
        "one_shot_cifar10",
        jobs=1,
    )
    rows = [
        {"shots": int(shots.removeprefix("shot_")), "method": method, "fold": name, "accuracy": figures["accuracy"]}
        for name in FOLDS
        for shots, methods in stored(name, "metrics/one_shot_cifar10.json")["episodes"].items()
        for method, figures in methods.items()
    ]
    table = pd.DataFrame(rows).pivot(index=["shots", "method"], columns="fold", values="accuracy")
    table["mean"] = table.mean(axis=1)
    table = table.sort_values(["shots", "mean"], ascending=[True, False]).round(4)
    TABLE.write_text(table.to_csv(lineterminator="\n"), encoding="utf-8")
    print(table.to_string())


if __name__ == "__main__":
    main()
