"""Compare the feature transforms on seen classes that are held out from training, so that no unseen class is used.

The stages of the 6-class net train on half of the seen classes and classify the other half from one and five examples.
"""

import argparse
import io
from pathlib import Path

import dvc.api
import pandas as pd

from oneshot.core.files import write_csv
from oneshot.evaluation.transforms import METHODS
from tools.experiments import revision, run_queue

# Each half has a vehicle and animals: with no animal among its classes, a net cannot distinguish any, by any transform.
NAME, TRAINED, HELD_OUT = "held-out-125", [0, 3, 4], [1, 2, 5]
# With half of the images, about a fifth of the 6-class net's time.
EPOCHS = "[[16,2],[32,1]]"
TABLE = Path("docs/choice.csv")


def main() -> None:
    """Train on one half, and write the accuracy of each method and number of shots on the other."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    settings = [
        f"cifar10.seen_classes={TRAINED}",
        f"cifar10.unseen_classes={HELD_OUT}",
        f"convnet.epochs.six_class={EPOCHS}",
        f"one_shot.methods=[{','.join(METHODS)}]",
    ]
    run_queue({NAME: settings}, ["one_shot_cifar10"], jobs=1)
    table = pd.read_csv(io.StringIO(dvc.api.read("plots/one_shot_cifar10/methods.csv", rev=revision(NAME))))
    table = table.sort_values(["shots", "accuracy"], ascending=[True, False])
    table = table[["shots", "method", "accuracy", "interval_95"]].round(4)
    write_csv(TABLE, table)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
