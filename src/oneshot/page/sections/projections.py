"""The representations of the unseen classes in two dimensions, by PCA and t-SNE."""

import numpy as np

from oneshot.datasets import cifar10
from oneshot.evaluation.episodes import choose_images
from oneshot.page import charts
from oneshot.page.results import Results
from oneshot.page.sheets import sheet


def pictured(results: Results) -> np.ndarray:
    """Choose the images of the scatter plots as the stage one_shot_cifar10 does: positions in results.unseen()."""
    _, labels, _ = results.unseen()
    count, seed = results.params["pictures"]["images_per_class"], results.params["seed"]
    return choose_images(labels, results.unseen_classes, count, seed, "pictures")


def section(results: Results) -> dict:
    """Compute "projections", their charts, and the sheet "unseen" of the images behind the points.

    Raises ValueError if the stored points are not those of the pictured images.
    """
    _, labels, indices = results.unseen()
    chosen = pictured(results)
    drawn, titles = {}, []
    for place, (title, table) in enumerate(results.scatter["one_shot_cifar10"].groupby("part", sort=False)):
        if table["label"].tolist() != labels[chosen].tolist():
            raise ValueError(f"the rows of {title} are not those of the pictured images")
        axes = ["x (no unit)", "y (no unit)"]
        points = table[["x", "y"]].to_numpy()
        drawn[f"projection-{place}"] = charts.scatter(points, labels[chosen], cifar10.NAMES, axes, range(len(chosen)))
        titles.append({"key": f"projection-{place}", "title": title})
    sheets = {"unseen": sheet(results.cifar10.images[indices[chosen]])}
    return {"charts": drawn, "sheets": sheets, "projections": titles}
