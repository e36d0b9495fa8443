"""Compare the feature transforms on base classes held out from a training, so that no novel class has a say.

The 6-class net's stages run on half of the base classes, and classify the other half from one and from five examples.
"""

from pathlib import Path

import pandas as pd

from oneshot.representations import METHODS
from tools.experiments import run_queue, stored

# Each half has a vehicle and animals: a net that knows no animal cannot tell others apart, whatever the transform.
NAME, TRAINED, HELD_OUT = "held-out-125", [0, 3, 4], [1, 2, 5]
# With half of the images, about a fifth of the 6-class net's time.
EPOCHS = "[[16,2],[32,1]]"
TABLE = Path("docs/choice.csv")


def main() -> None:
    """Train on the one half, and write the accuracy on the other of each method and number of shots."""
    settings = [
        f"cifar10.base_classes={TRAINED}",
        f"cifar10.novel_classes={HELD_OUT}",
        f"convnet.epochs.six_class={EPOCHS}",
        f"one_shot.methods=[{','.join(METHODS)}]",
    ]
    run_queue({NAME: settings}, ["one_shot_cifar10"], jobs=1)
    rows = [
        {
            "shots": int(shots.removeprefix("shot_")),
            "method": method,
            "accuracy": figures["accuracy"],
            "interval_95": figures["accuracy_interval_95"],
        }
        for shots, methods in stored(NAME, "metrics/one_shot_cifar10.json")["episodes"].items()
        for method, figures in methods.items()
    ]
    table = pd.DataFrame(rows).sort_values(["shots", "accuracy"], ascending=[True, False]).round(4)
    TABLE.write_text(table.to_csv(index=False, lineterminator="\n"), encoding="utf-8")
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
