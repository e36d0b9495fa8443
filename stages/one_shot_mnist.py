"""Classify digits from few examples by one embedding, seen, unseen and all: one_shot_mnist.py EMBEDDING."""

import argparse
from typing import Annotated

from pydantic import Field

from oneshot.episode_params import EpisodeParams, PictureParams
from oneshot.params import Schema, load
from oneshot.stage import run

Digits = Annotated[list[Annotated[int, Field(ge=0, le=9)]], Field(min_length=2)]


class DigitParams(Schema):
    """Which digits the siamese nets have seen."""

    seen_digits: Digits
    unseen_digits: Digits


class Params(Schema):
    """The leaves that this stage reads."""

    seed: int = Field(ge=0)
    mnist: DigitParams
    one_shot: EpisodeParams
    projection: PictureParams


REPORTED_PAIRS = ((4, 9), (1, 7))


def main() -> None:
    """Write metrics/one_shot_mnist/EMBEDDING.json and the tables and pictures of plots/one_shot_mnist/EMBEDDING/."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("embedding", choices=["siamese-2d", "siamese-3d", "dense-all", "dense-seen"])
    embedding = parser.parse_args().embedding
    params = load(Params)

    from oneshot import files
    from oneshot.confusion import confused_pairs, confusion_table, summary
    from oneshot.episodes import choose_images, draw_episodes, evaluate, require_images
    from oneshot.plotting import draw_confusion, draw_scatter, label_points

    seen, unseen = params.mnist.seen_digits, params.mnist.unseen_digits
    groups = {"seen": seen, "unseen": unseen, "all": sorted(seen + unseen)}
    limit, pictured = "mnist.limit_per_class", params.projection.images_per_class
    digit_names = [str(digit) for digit in range(10)]
    data = files.read_arrays(f"features/{embedding}")
    points, labels = data["embeddings"], data["labels"]
    most = max(params.one_shot.shots) + 1
    require_images(labels, groups["all"], most, "one_shot.shots and at least one query", limit)
    require_images(labels, groups["all"], pictured, "projection.images_per_class", limit)
    folder = f"plots/one_shot_mnist/{embedding}"

    figures, matrices = {}, {}
    for group, digits in groups.items():
        figures[group] = {}
        for shots in params.one_shot.shots:
            drawn = draw_episodes(
                labels, digits, episodes=params.one_shot.episodes, shots=shots, seed=params.seed, purpose=group
            )
            confusions = evaluate(points, labels, digits, drawn)
            result = summary(confusions, [f"digit_{digit}" for digit in digits])
            pairs = [(digits[a], digits[b], count) for a, b, count in confused_pairs(confusions.sum(0))]
            figures[group][f"shot_{shots}"] = result | {"confused": _confused(pairs)}
            if shots == params.one_shot.shots[0]:
                matrices[group] = confusion_table(confusions.sum(0), [str(digit) for digit in digits])
    files.write_json(f"metrics/one_shot_mnist/{embedding}.json", figures)

    columns = ("x", "y", "z")[: points.shape[1]]
    tables = {}
    for group in ("seen", "unseen"):
        chosen = choose_images(labels, groups[group], pictured, params.seed, "pictures")
        tables[group] = label_points(points[chosen], columns, labels[chosen], digit_names)
        files.write_csv(f"{folder}/{group}.csv", tables[group])
    for group, matrix in matrices.items():
        files.write_csv(f"{folder}/confusion_{group}.csv", matrix)
    shots = f"{params.one_shot.shots[0]}-shot"
    panels = {f"{embedding}, {group} digits, {shots}": matrix for group, matrix in matrices.items()}
    files.write_bytes(f"{folder}/confusion.png", draw_confusion(panels))
    panels = {f"{embedding}: {group} digits": table for group, table in tables.items()}
    axes = [f"{column} (no unit)" for column in columns]
    files.write_bytes(f"{folder}/embedding.png", draw_scatter(panels, columns, axes))


def _confused(pairs: list[tuple[int, int, int]]) -> dict[str, int | float | str]:
    """Say how often the report's pairs of digits are taken for one another, and whether they are the main two."""
    wrong = max(1, sum(count for _, _, count in pairs))
    figures = {}
    for a, b, count in pairs:
        if (a, b) in REPORTED_PAIRS:
            figures |= {f"{a}_with_{b}": count, f"{a}_with_{b}_share_of_errors": count / wrong}
    for place, (a, b, count) in zip(("first", "second"), pairs[:2], strict=False):
        figures |= {place: f"{a} with {b}", f"{place}_share_of_errors": count / wrong}
    if len(figures) == 4 + 2 * len(REPORTED_PAIRS):
        main = {(a, b) for a, b, _ in pairs[:2]}
        figures["reported_pairs_are_the_main_two"] = "yes" if main == set(REPORTED_PAIRS) else "no"
    return figures


if __name__ == "__main__":
    run(main)
