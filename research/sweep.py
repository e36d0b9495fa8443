"""The siamese nets' accuracy over the margin."""

import pandas as pd
import pipeline
import study

from oneshot.nets.table import SIAMESE


def rows(margin: float, metrics: dict[str, dict]) -> pd.DataFrame:
    """A row per siamese net; accuracy with the fewest examples of each digit that were asked for."""
    found = []
    for net in SIAMESE:
        pairs, one_shot = metrics[f"train_siamese/{net}"], metrics[f"one_shot_mnist/{net}"]["unseen"]
        shots = min(int(key.removeprefix("shot_")) for key in one_shot)
        areas = {f"{group}_auc": pairs[group]["test"]["auc"] for group in ("unseen", "seen")}
        accuracy = {"unseen_accuracy": one_shot[f"shot_{shots}"]["accuracy"]}
        found.append({"margin": margin, "net": net, "shots": shots} | areas | accuracy)
    return pd.DataFrame(found)


def one(margin: float) -> None:
    """Train and evaluate the siamese nets with one margin."""
    with pipeline.run("default", f"margin={margin}", "one_shot_mnist") as (_, metrics):
        study.write_part("sweep", str(margin), rows(margin, metrics))


if __name__ == "__main__":
    study.main(__doc__, one, lambda: study.write_table("sweep", study.parts("sweep").sort_values(["net", "margin"])))
