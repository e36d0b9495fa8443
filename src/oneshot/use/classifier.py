"""One-shot classification of images as a scikit-learn estimator."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_consistent_length
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from oneshot.use import nets
from oneshot.use.mistakes import InputError
from oneshot.use.reading import Source
from oneshot.use.representation import represent

Images = Sequence[Source] | np.ndarray


class OneShotClassifier(ClassifierMixin, BaseEstimator):
    """Classify images by a trained net, from one example of each class or a few.

    A query is classified as the class whose examples, represented by the net, have the nearest mean: with one example,
    the nearest example. Nothing is trained. (NearestCentroid of scikit-learn, the same rule, refuses one example each.)

    net: "6-class" (the ConvNet, for photographs), "siamese-2d", "siamese-3d", "dense-all" or "dense-seen" (digit nets,
    for drawings); method: one of nets.METHODS, a transform of the representations; None is `both_whitened` for
    the ConvNet and `raw` for digit nets, whose other method is `maps_whitened`; root: the folder in which the pipeline
    ran.

    Images are a sequence of files, PIL images or arrays, in any mix, or one array (n, height, width[, channels]) of
    uint8; `reading.read` says how they are read, `photographs.prepare` and `digits.prepare` how they are cropped and
    shrunk. Mistakes raise InputError, a ValueError.

    After fit: classes_ (classes,), the names in order; means_ (classes, d) float64, of the examples' representations;
    net_hash_, SHA-256 of the net's weights. The net itself is no part of the object, so that copies and pickles are
    small; it is loaded from `root` where it is used.

        >>> classifier = OneShotClassifier("6-class").fit(["cat.jpg", "car.jpg"], ["cat", "car"])
        >>> classifier.predict(["who.jpg"])
        array(['cat'], dtype='<U3')

    It works in pipelines, grid searches and cross-validation, and can be cloned. Of scikit-learn's `check_estimator`,
    all checks pass if the images are replaced by rows of numbers (tests/use/test_estimator.py). With images, the checks
    that need no data pass; the others feed rows of numbers, which are no images, and expect of an estimator what only
    rows have: a number and names of features (n_features_in_, feature_names_in_), sparse, missing or infinite values.
    """

    def __init__(self, net: str = nets.CONVNET, method: str | None = None, root: str | Path = "."):
        self.net = net
        self.method = method
        self.root = root

    def fit(self, X: Images, y) -> "OneShotClassifier":
        """Represent the examples X, n images, of the classes y, (n,) names or integers.

        Raises InputError if there is one class only, or the net sees no difference between any of the examples.
        """
        if y is None:
            raise InputError("OneShotClassifier requires y to be passed, but the target y is None")
        vectors = self._represent(X, fitting=True)
        names = column_or_1d(y, warn=True)
        check_consistent_length(vectors, names)
        check_classification_targets(names)
        self.classes_, labels = np.unique(names, return_inverse=True)
        if len(self.classes_) < 2:
            raise InputError(f"there is one class only, {self.classes_[0]}: give examples of two classes or more")
        if len(vectors) > 1 and (vectors == vectors[0]).all():
            raise InputError("all examples look the same to the net: give other images, or take another net")
        self.means_ = np.stack([vectors[labels == label].mean(0) for label in range(len(self.classes_))])
        return self

    def distances(self, X: Images) -> np.ndarray:
        """The Euclidean distance of each image to the mean of each class: (n, classes) float64."""
        check_is_fitted(self)
        vectors = self._represent(X, fitting=False)
        return np.stack([np.linalg.norm(vectors - mean, axis=1) for mean in self.means_], axis=1)

    def predict(self, X: Images) -> np.ndarray:
        """The class of each image: (n,), as in y; of equally near classes the first one."""
        nearest = self.distances(X).argmin(1)
        return self.classes_[nearest]

    def decision_function(self, X: Images) -> np.ndarray:
        """How near each class is, minus the distance: (n, classes) float64.

        Of two classes, (n,): by how much the second one is nearer, as scikit-learn has it.
        """
        distances = self.distances(X)
        return distances[:, 0] - distances[:, 1] if len(self.classes_) == 2 else -distances

    def __sklearn_tags__(self):
        """What scikit-learn's tools may expect: images, and no rows of numbers."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        return tags

    def _represent(self, X, *, fitting: bool) -> np.ndarray:
        """Represent images: (n, d) float64; `fitting` sets what later images have to go with."""
        net = nets.load(self.net, self.method, self.root)
        if fitting:
            self.net_hash_ = net.hash
        elif net.hash != self.net_hash_:
            raise InputError(
                f"the net {self.net} has been trained again since this classifier was fitted: fit it again"
            )
        return represent(net, _listed(X)).astype(np.float64)


def _listed(X) -> list[Source]:
    """Images as a list; raises InputError for what is no sequence of images, or an empty one."""
    if isinstance(X, (str, Path)) or not hasattr(X, "__len__") or not hasattr(X, "__iter__"):
        raise InputError("images must be a list or an array, also if there is only one")
    if isinstance(X, np.ndarray) and X.dtype.kind not in "OU" and X.ndim not in (3, 4):
        raise InputError(f"images have the shape {X.shape}: an array is (n, height, width) or (n, height, width, 3)")
    images = list(X)
    if not images:
        raise InputError("there are no images: give one at least")
    for number, image in enumerate(images):
        if not isinstance(image, Source):
            raise InputError(f"image {number} is of type {type(image).__name__}: give files, PIL images or arrays")
    return images
