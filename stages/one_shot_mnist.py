"""Classify the seen, the unseen and all digits from few examples by one net's embeddings, and by its last maps."""

from oneshot.core.environment import ComputeParams
from oneshot.core.params import Schema, Seed
from oneshot.core.stage import run
from oneshot.evaluation.params import EpisodeParams, PicturedParams
from oneshot.nets.table import DRAWINGS, NETS
from oneshot.splits.params import DigitParams


class Params(Schema):
    """The parameters that this stage reads."""

    compute: ComputeParams
    seed: Seed
    mnist: DigitParams
    one_shot: EpisodeParams
    pictures: PicturedParams


def main(params: Params, net: str) -> str:
    """Write the metrics, of a siamese net and unseen digits also by its last maps, and the tables of the pictures."""
    import numpy as np
    import pandas as pd

    from oneshot.core import files
    from oneshot.datasets import mnist
    from oneshot.evaluation import confusion, few_shot, transforms
    from oneshot.evaluation.episodes import choose_images, draw_episodes, require_features, require_images
    from oneshot.evaluation.projections import point_table

    seen, unseen, one_shot = params.mnist.seen_digits, params.mnist.unseen_digits, params.one_shot
    groups = {"seen": seen, "unseen": unseen, "all": sorted(seen + unseen)}
    pictured = params.pictures.images_per_class
    data = files.read_arrays(f"features/{net}")
    points, labels = data["embeddings"], data["labels"]
    for features in (points, data["maps"]):
        require_features(features, net)
    for count, key in (
        (max(one_shot.shots) + 1, "one_shot.shots and at least one query"),
        (pictured, "pictures.images_per_class"),
    ):
        require_images(labels, groups["all"], count, key, "mnist.limit_per_class")

    many = {"shots": one_shot.shots, "episodes": one_shot.episodes, "seed": params.seed}
    metrics: dict[str, dict] = {
        group: few_shot.accuracy_metrics(
            few_shot.few_shot_accuracy(points, labels, classes=digits, purpose=group, **many)
        )
        for group, digits in groups.items()
    }
    if NETS[net].kind == "siamese":  # the dense nets stand for comparison of the embeddings
        maps, known = ({"maps": data[name][None]} for name in ("maps", "seen_maps"))
        whitened = transforms.transform_features("maps_whitened", maps, known, data["seen_labels"])
        table = few_shot.few_shot_accuracy(whitened, labels, classes=unseen, purpose="unseen", **many)
        for shots, found in few_shot.accuracy_metrics(table).items():
            metrics["unseen"][shots]["maps_whitened"] = found
    fewest = min(one_shot.shots)
    matrices = []
    for group, digits in groups.items():
        support = draw_episodes(
            labels, digits, episodes=one_shot.episodes, shots=fewest, seed=params.seed, purpose=group
        )
        total = np.sum([counts.sum(0) for counts in few_shot.counted(points, labels, digits, support)], axis=0)
        matrices.append(confusion.to_table(total, digits).assign(part=group, shots=fewest))
    scatters = []
    for group in ("seen", "unseen"):
        shown = choose_images(labels, groups[group], pictured, params.seed, "pictures")
        scatters.append(point_table(points[shown], labels[shown], mnist.NAMES, group))

    files.write_json(f"metrics/one_shot_mnist/{net}.json", metrics)
    files.write_csv(f"plots/one_shot_mnist/{net}/confusion.csv", pd.concat(matrices))
    files.write_csv(f"plots/one_shot_mnist/{net}/scatter.csv", pd.concat(scatters))
    found = metrics["unseen"][f"shot_{fewest}"]["accuracy"]
    return f"{net}: unseen digits, accuracy {found:.3f} with {fewest} of each as examples"


if __name__ == "__main__":
    run(main, Params, net=DRAWINGS)
