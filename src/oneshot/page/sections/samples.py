"""Samples of each class of both data sets."""

from oneshot.datasets import cifar10, mnist
from oneshot.evaluation.episodes import choose_images
from oneshot.page.results import Results
from oneshot.page.sheets import sheet

_PER_CLASS = 8


def section(results: Results) -> dict:
    """Compute "samples" (for each data set its sheet, and a row per class), "samples_per_class", and the sheets."""
    sheets, groups = {}, []
    classes, digits = results.params["cifar10"], results.params["mnist"]
    for key, title, data, names, seen, unseen in (
        ("cifar10", "CIFAR-10", results.cifar10, cifar10.NAMES, classes["seen_classes"], classes["unseen_classes"]),
        ("mnist", "MNIST", results.mnist, mnist.NAMES, digits["seen_digits"], digits["unseen_digits"]),
    ):
        chosen = choose_images(data.labels, range(10), _PER_CLASS, results.params["seed"], "samples")
        sheets[f"samples-{key}"] = sheet(data.images[chosen], _PER_CLASS)
        part = {**dict.fromkeys(seen, "seen"), **dict.fromkeys(unseen, "unseen")}
        rows = [{"label": label, "name": names[label], "part": part.get(label, "not used")} for label in range(10)]
        groups.append({"sheet": f"samples-{key}", "title": title, "rows": rows})
    return {"sheets": sheets, "samples": groups, "samples_per_class": _PER_CLASS}
