"""All results of one run, from which the page is made, and what several sections derive from them."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from oneshot.core.images import LabelledImages
from oneshot.datasets import cifar10
from oneshot.evaluation import report_protocol
from oneshot.nets.table import DRAWINGS, PHOTOGRAPHS
from oneshot.page.metrics import name_of
from oneshot.page.spread import Mean, mean_with

# The digit nets in the page's order, and what the page calls them.
_TITLES = (
    "siamese net, 2-D",
    "siamese net, 3-D",
    "dense net, trained on all digits",
    "dense net, trained on the seen digits",
)
EMBEDDINGS = dict(zip(DRAWINGS, _TITLES, strict=True))


def read_table(text: str) -> pd.DataFrame:
    """Read the text of a table of a study."""
    return pd.read_csv(io.StringIO(text))


@dataclass(frozen=True)
class Results:
    """The inputs of the stage.

    params: all parameters, nested; cifar10, mnist: all images, uint8; checksums: SHA-256 of the data by file;
    features: arrays by net; drawing_net: the exported weights of siamese-2d by name; metrics: by path below metrics/
    without .json; curves: tables by net; confusion, scatter: tables of "one_shot_cifar10" and of each digit net;
    methods, together: the tables of CIFAR-10's methods, and of the transductive ones; studies: the tables that
    docs/studies.json has of them, by name; stale: the revision of each that is not of today's code, parameters and
    data.
    """

    params: Mapping
    cifar10: LabelledImages
    mnist: LabelledImages
    checksums: Mapping[str, str]
    features: Mapping[str, Mapping[str, np.ndarray]]
    drawing_net: Mapping[str, np.ndarray]
    metrics: Mapping[str, Mapping]
    curves: Mapping[str, pd.DataFrame]
    confusion: Mapping[str, pd.DataFrame]
    scatter: Mapping[str, pd.DataFrame]
    methods: pd.DataFrame
    together: pd.DataFrame
    studies: Mapping[str, pd.DataFrame]
    stale: Mapping[str, str]

    @property
    def convnets(self) -> dict[str, str]:
        """What the page calls the ConvNets, by name. "6-class" keeps its name with any number of seen classes."""
        titles = ("ConvNet, 10 classes", f"ConvNet, {len(self.seen_classes)} classes")
        return dict(zip(PHOTOGRAPHS, titles, strict=True))

    @property
    def seen_classes(self) -> list[int]:
        """Labels of the CIFAR-10 classes that the 6-class net was trained on."""
        return self.params["cifar10"]["seen_classes"]

    @property
    def unseen_classes(self) -> list[int]:
        """Labels of the CIFAR-10 classes that the 6-class net has never seen."""
        return self.params["cifar10"]["unseen_classes"]

    @property
    def unseen_names(self) -> list[str]:
        """Names of the unseen classes."""
        return [cifar10.NAMES[label] for label in self.unseen_classes]

    def unseen(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Select the unseen classes: representations (n, units) float32, labels (n,), indices in the data set (n,)."""
        data = self.features["6-class"]
        chosen = np.isin(data["labels"], self.unseen_classes)
        return data["embeddings"][chosen], data["labels"][chosen], data["indices"][chosen]

    def study(self, name: str) -> pd.DataFrame:
        """The table of a study, empty if it has not run."""
        return self.studies.get(name, pd.DataFrame())

    def mean_with_others(self, file: str, key: str, value: float) -> Mean | None:
        """Average a metric, by its place, over trainings; None if this run, whose value is given, is not of them."""
        return mean_with(self.study("seeds"), name_of(file, key), self.params["seed"], value)

    @cached_property
    def protocol(self) -> report_protocol.Draws:
        """The report's protocol, repeated with the draws of the stage one_shot_cifar10; three sections need it."""
        features, labels, _ = self.unseen()
        settings = {key: self.params["one_shot"][key] for key in ("images_per_class", "draws")}
        return report_protocol.run(features, labels, self.unseen_classes, **settings, seed=self.params["seed"])
