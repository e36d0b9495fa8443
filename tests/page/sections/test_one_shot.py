"""One-shot results: recomputed naively from the features, and compared with the report's."""

import dataclasses

import numpy as np
import pytest

from oneshot.datasets import cifar10
from oneshot.evaluation.episodes import choose_images, draw_episodes
from oneshot.page import reported
from oneshot.page.contents import contents
from oneshot.page.render import render
from oneshot.page.results import Results
from oneshot.page.sections.one_shot import section
from tests.page.elements import markup
from tests.page.made_up import made_up


def naive(results: Results) -> tuple[list[list[float]], np.ndarray]:
    """The accuracy of each class in each draw, and all counts, one image and one example at a time."""
    settings, seed = results.params["one_shot"], results.params["seed"]
    classes, data = results.params["cifar10"]["unseen_classes"], results.features["6-class"]
    unseen = [row for row, label in enumerate(data["labels"].tolist()) if label in classes]
    features, labels = data["embeddings"][unseen].astype(float), data["labels"][unseen]
    pool = choose_images(labels, classes, settings["images_per_class"], seed, "report protocol")
    draws = draw_episodes(
        labels[pool], classes, episodes=settings["draws"], shots=1, seed=seed, purpose="report protocol"
    )
    accuracies, counts = [], np.zeros((len(classes), len(classes)), int)
    for draw in draws:
        examples = [int(pool[position]) for (position,) in draw]
        right, total = dict.fromkeys(classes, 0), dict.fromkeys(classes, 0)
        for image in pool.tolist():
            if image in examples:
                continue
            distances = [float(((features[image] - features[example]) ** 2).sum()) for example in examples]
            predicted, true = classes[distances.index(min(distances))], int(labels[image])
            right[true] += predicted == true
            total[true] += 1
            counts[classes.index(true), classes.index(predicted)] += 1
        accuracies.append([right[label] / total[label] for label in classes])
    return accuracies, counts


@pytest.mark.parametrize("classes", [[6, 7, 8, 9], [9, 6, 8]])
def test_accuracies_are_those_of_a_naive_loop_over_the_features(classes: list[int]):
    results = made_up(cifar10__unseen_classes=classes)
    draws, counts = naive(results)
    shown = section(results)
    *rows, mean = shown["few_shot"]["accuracy"]
    assert [row["name"] for row in rows] == [cifar10.NAMES[label] for label in classes]
    assert [row["here"] for row in rows] == pytest.approx(np.mean(draws, axis=0).tolist())
    assert [row["interval"] for row in rows] == pytest.approx(
        (1.96 * np.std(draws, axis=0, ddof=1) / np.sqrt(len(draws))).tolist()
    )
    assert mean["here"] == pytest.approx(np.mean(draws))
    assert 0 < mean["here"] < 1 and len({row["here"] for row in rows}) > 1, "the case can tell classes apart"

    recalls, precisions = counts.diagonal() / counts.sum(1), counts.diagonal() / counts.sum(0)
    assert [row["here"] for row in shown["few_shot"]["recall"]] == pytest.approx(recalls.tolist())
    assert [row["here"] for row in shown["few_shot"]["precision"]] == pytest.approx(precisions.tolist())
    (matrix,) = shown["charts"]["confusion-here"]["data"]
    assert matrix["customdata"] == counts.tolist()
    _, bars = shown["charts"]["accuracy"]["data"]
    assert bars["y"] == pytest.approx(np.mean(draws, axis=0).tolist(), rel=1e-3)


def test_each_value_stands_beside_the_reports():
    results = made_up()
    frog, *_, mean = section(results)["few_shot"]["accuracy"]
    assert mean["report"] == pytest.approx(0.604, abs=5e-4)
    assert frog["report"] == pytest.approx(0.627, abs=5e-4)
    assert frog["difference"] == pytest.approx(frog["here"] - frog["report"])
    difference = f"{frog['difference']:+.3f}".replace("-", "\N{MINUS SIGN}")
    cells = f"<td>{frog['here']:.3f} <small>± {frog['interval']:.3f}</small></td><td>{difference}</td>"
    assert f"<td>0.627</td>{cells}" in markup(render(contents(results)))


def test_a_class_that_is_never_predicted_has_no_precision():
    results = made_up()
    data = results.features["6-class"]
    # Horses look like frogs, which come first and win every tie.
    alike = np.where(data["labels"] == 7, 6, data["labels"])[:, None] * np.ones((1, 12), np.float32)
    same = dataclasses.replace(results, features=results.features | {"6-class": data | {"embeddings": alike}})
    few_shot = section(same)["few_shot"]
    row = few_shot["precision"][1]
    assert row["here"] is None and row["difference"] is None and row["report"] == 0.61
    assert few_shot["recall"][1]["here"] == 0
    assert render(contents(same))


@pytest.mark.parametrize(("seen", "unseen"), [([0, 1, 2], [5, 6]), ([0, 1], [6, 7, 8, 9])])
def test_other_classes_than_the_reports_stand_alone(seen: list[int], unseen: list[int]):
    results = made_up(cifar10__seen_classes=seen, cifar10__unseen_classes=unseen)
    few_shot = section(results)["few_shot"]
    rows = [*few_shot["accuracy"], *few_shot["recall"], *few_shot["precision"]]
    assert {row["report"] for row in rows} == {None}
    shown = " ".join(markup(render(contents(results))).split())
    assert "values: in the report, frog, horse, ship and truck were classified by a net" in shown
    assert "60.4%" not in shown


def test_the_reports_values_agree_with_each_other():
    confusion = np.array(reported.CONFUSION)
    assert (confusion.sum(1) == 69_900).all()
    recall, precision = np.diag(confusion) / confusion.sum(1), np.diag(confusion) / confusion.sum(0)
    assert list(reported.RECALL.values()) == pytest.approx(recall, abs=0.006)
    assert list(reported.PRECISION.values()) == pytest.approx(precision, abs=0.006)
