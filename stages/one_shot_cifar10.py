"""Classify the novel CIFAR-10 classes from few examples: by the report's protocol, and by many episodes and methods."""

from pydantic import Field

from oneshot.one_shot_cifar10_params import NovelClassParams, OneShotCifar10Params, ProjectionParams
from oneshot.params import Schema, load
from oneshot.stage import run


class Params(Schema):
    """The leaves that this stage reads."""

    seed: int = Field(ge=0)
    cifar10: NovelClassParams
    one_shot: OneShotCifar10Params
    projection: ProjectionParams


def main() -> None:
    """Write metrics/one_shot_cifar10.json and the tables and pictures of plots/one_shot_cifar10/."""
    params = load(Params)

    import numpy as np
    import pandas as pd

    from oneshot import files
    from oneshot.confusion import accuracy, confusion_table, mean_and_interval, precision, recall, summary
    from oneshot.episodes import choose_images, draw_episodes, evaluate, require_images
    from oneshot.errors import UserError
    from oneshot.palette import CIFAR10_NAMES
    from oneshot.plotting import draw_confusion, draw_scatter, label_points
    from oneshot.projections import pca, tsne
    from oneshot.representations import represent

    classes, one_shot, projection = params.cifar10.novel_classes, params.one_shot, params.projection
    data = files.read_arrays("features/6-class")
    is_novel = np.isin(data["labels"], classes)
    views = np.stack([data["embeddings"], data["mirrored"]])
    novel, base = views[:, is_novel], views[:, ~is_novel]
    features, labels = novel[0], data["labels"][is_novel]
    names = [CIFAR10_NAMES[label] for label in classes]
    keys = [f"class_{label}" for label in classes]
    limit = "cifar10.limit_per_class"
    require_images(labels, classes, one_shot.images_per_class, "one_shot.images_per_class", limit)
    require_images(labels, classes, max(one_shot.shots) + 1, "one_shot.shots and at least one query", limit)
    require_images(labels, classes, projection.images_per_class, "projection.images_per_class", limit)
    if one_shot.ways is not None and one_shot.ways > len(classes):
        raise UserError(f"one_shot.ways is {one_shot.ways}, but cifar10.novel_classes names {len(classes)} classes")
    if projection.perplexity >= projection.images_per_class * len(classes):
        raise UserError(
            "projection.perplexity must be less than the number of pictured images, "
            f"{projection.images_per_class * len(classes)}: lower it or raise projection.images_per_class"
        )

    # The report's protocol. Double precision, as its distances are few.
    chosen = choose_images(labels, classes, one_shot.images_per_class, params.seed, "report protocol")
    pool, pool_labels = features[chosen].astype(np.float64), labels[chosen]
    draws = draw_episodes(
        pool_labels, classes, episodes=one_shot.draws, shots=1, seed=params.seed, purpose="report protocol"
    )
    confusions = evaluate(pool, pool_labels, classes, draws)
    report = summary(confusions, keys)
    matrix = confusions.sum(0)
    for key, found, right in zip(keys, recall(matrix), precision(matrix), strict=True):
        # A class that is never predicted, possible in a small run, has no precision.
        report[key] |= {"recall": found} | ({} if np.isnan(right) else {"precision": right})
    report["confusion"] = {
        f"predicted_{row}": {f"reference_{column}": count for column, count in zip(classes, counts, strict=True)}
        for row, counts in zip(classes, matrix, strict=True)
    }
    confusion = confusion_table(matrix, names)

    # Many episodes over all images; the same draws for every method, so that differences are paired.
    episodes = {
        shots: draw_episodes(
            labels, classes, episodes=one_shot.episodes, shots=shots, ways=one_shot.ways, seed=params.seed
        )
        for shots in one_shot.shots
    }
    precise = {f"shot_{shots}": {} for shots in one_shot.shots}
    raw = {}
    rows = []
    for method in sorted(one_shot.methods, key=lambda name: name != "raw"):
        represented = represent(method, novel, base, one_shot.exponent)
        for shots, drawn in episodes.items():
            confusions = evaluate(represented, labels, classes, drawn)
            figures = summary(confusions, keys)
            correct = accuracy(confusions)
            difference, half_width = mean_and_interval(correct - raw.setdefault(shots, correct))
            if method != "raw":
                figures |= {"gain_over_raw": difference, "gain_over_raw_interval_95": half_width}
            precise[f"shot_{shots}"][method] = figures
            rows.append(
                {
                    "setting": f"{shots}-shot {method}",
                    "shots": shots,
                    "method": method,
                    "accuracy": figures["accuracy"],
                    "interval_95": figures["accuracy_interval_95"],
                    "gain_over_raw": difference,
                    "gain_interval_95": half_width,
                }
            )

    pictured = choose_images(labels, classes, projection.images_per_class, params.seed, "pictures")
    pca_points, shares = pca(features[pictured])
    pca_table = label_points(pca_points, ("component_1", "component_2"), labels[pictured], CIFAR10_NAMES)
    tsne_points = tsne(features[pictured], projection.perplexity, params.seed)
    tsne_table = label_points(tsne_points, ("dimension_1", "dimension_2"), labels[pictured], CIFAR10_NAMES)

    files.write_json("metrics/one_shot_cifar10.json", {"report_protocol": report, "episodes": precise})
    folder = "plots/one_shot_cifar10"
    files.write_csv(f"{folder}/confusion.csv", confusion)
    files.write_csv(f"{folder}/methods.csv", pd.DataFrame(rows))
    files.write_csv(f"{folder}/pca.csv", pca_table)
    files.write_csv(f"{folder}/tsne.csv", tsne_table)
    files.write_bytes(f"{folder}/confusion.png", draw_confusion({f"One-shot, {one_shot.draws} draws": confusion}))
    axes = [f"component {n} ({100 * share:.0f}% of variance)" for n, share in enumerate(shares, start=1)]
    panels = {"PCA of the representations": pca_table}
    files.write_bytes(f"{folder}/pca.png", draw_scatter(panels, ("component_1", "component_2"), axes))
    axes = ["t-SNE dimension 1 (no unit)", "t-SNE dimension 2 (no unit)"]
    panels = {"t-SNE of the representations": tsne_table}
    files.write_bytes(f"{folder}/tsne.png", draw_scatter(panels, ("dimension_1", "dimension_2"), axes))


if __name__ == "__main__":
    run(main)
