"""One-shot classification of images as a scikit-learn estimator."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.utils import check_consistent_length
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from oneshot.encoders import catalogue
from oneshot.use import folders, nearest, representation
from oneshot.use.mistakes import InputError
from oneshot.use.reading import Source
from oneshot.use.representation import AnyEncoder, Representation

Images = Sequence[Source] | np.ndarray


class OneShotClassifier(ClassifierMixin, TransformerMixin, BaseEstimator):
    """Classify images by an encoder, from one example of each class or a few.

    A query is classified as the class whose examples, represented by the encoder, have the nearest mean: with one
    example, the nearest example. Nothing is trained. (NearestCentroid of scikit-learn is the same rule, but warns of
    classes with one example.)

    encoder: "6-class" or "10-class" (for photographs), "siamese-2d", "siamese-3d", "dense-all" or "dense-seen" (for
    drawings), the path of an ONNX file, an `Encoder`, or a callable: list of images (height, width, 3) uint8 -> (n, d);
    method: how its output is transformed, by default the best; background: images of other classes, from which the
    methods "cl2n" and "whitened" of an encoder of your own learn: a folder, images, or (images, classes). See
    `representation.make`.

    Images are a sequence of files, PIL images or arrays, in any mix, one array (n, height, width[, channels]), or a
    column of a table; `reading.read` says how they are read. A mistake raises InputError, a ValueError; a missing
    encoder raises UserError.

    After fit: classes_ (classes,), the names in order; means_ (classes, d) float64, of the examples' representations;
    counts_ (classes,) int64, of the examples; encoder_digest_, SHA-256 of the encoder's file. The encoder itself is no
    part of the object, so that copies and pickles are small.

        >>> classifier = OneShotClassifier("siamese-3d").fit(["ring.png", "cross.png"], ["ring", "cross"])
        >>> classifier.predict(["what.png"])
        array(['ring'], dtype='<U5')

    It works in pipelines, grid searches and cross-validation, and can be cloned. Of scikit-learn's `check_estimator`,
    all checks pass if the images are replaced by rows of numbers (tests/use/test_estimator.py). With images, the checks
    that need no data pass; the others feed rows of numbers, which are no images, and expect of an estimator what only
    rows have: a number and names of features (n_features_in_, feature_names_in_), sparse, missing or infinite values.
    """

    def __init__(self, encoder: AnyEncoder = catalogue.DEFAULT, method: str | None = None, background=None):
        self.encoder = encoder
        self.method = method
        self.background = background

    def fit(self, X: Images, y) -> "OneShotClassifier":
        """Represent the examples X, n images, of the classes y, (n,) names or integers.

        Raises InputError if there is one class only, or the encoder sees no difference between any of the examples.
        """
        vectors, names = self._examples(X, y, fitting=True)
        nearest.check_examples(vectors, names)
        self.classes_, self.means_, self.counts_ = nearest.class_means(vectors, names)
        return self

    def partial_fit(self, X: Images, y, classes=None) -> "OneShotClassifier":
        """Add examples, of the classes so far or of others; the means are those of all examples together.

        classes: not needed, for scikit-learn's sake. Raises InputError if these are numbers and the others names.
        """
        if not hasattr(self, "classes_"):
            return self.fit(X, y)
        vectors, names = self._examples(X, y, fitting=False)
        # Each class so far counts as its mean, as often as it has examples.
        old, weights = self.classes_, np.concatenate([self.counts_, np.ones(len(names), np.int64)])
        # NumPy would make names of the numbers.
        if isinstance(old[0], str) != isinstance(names[0], str):
            raise InputError(f"the classes so far are like {old[0]!r}, not like {names[0]!r}: give names, or numbers")
        self.classes_, self.means_, self.counts_ = nearest.class_means(
            np.concatenate([self.means_, vectors]), np.concatenate([old, names]), weights
        )
        return self

    def transform(self, X: Images) -> np.ndarray:
        """The vectors of images, of which distances are taken: (n, d) float64."""
        check_is_fitted(self)
        return self._represent(X, fitting=False)

    def distances(self, X: Images, broken: dict[int, str] | None = None) -> np.ndarray:
        """The Euclidean distance of each image to the mean of each class: (n, classes) float64.

        broken: a dict to be filled with a sentence on each image that cannot be used, by its position, whose distances
        are nan; without it, such an image raises InputError.
        """
        check_is_fitted(self)
        vectors = self._represent(X, fitting=False, broken=broken)
        return nearest.distances(vectors, self.means_)

    def predict(self, X: Images) -> np.ndarray:
        """The class of each image: (n,), as in y; of equally near classes the first one."""
        found = self.distances(X).argmin(1)
        return self.classes_[found]

    def predict_proba(self, X: Images) -> np.ndarray:
        """The probability of each class: (n, classes) float64, by calibration.probabilities.

        Raises InputError if no temperature is known: for an encoder of your own it is chosen on a background with
        classes.
        """
        return self.probabilities(self.distances(X))

    def probabilities(self, distances: np.ndarray) -> np.ndarray:
        """The probabilities of `predict_proba` of distances (n, classes)."""
        return nearest.probabilities(distances, self.counts_, self.representation_)

    @property
    def representation_(self) -> Representation:
        """What makes vectors of images."""
        if self.background is None:
            return representation.make(self.encoder, self.method)
        # Its images are read once.
        known = tuple(map(id, (self.encoder, self.method, self.background)))
        if not hasattr(self, "_chosen") or self._chosen[0] != known:
            self._chosen = known, representation.make(self.encoder, self.method, _background(self.background))
        return self._chosen[1]

    def decision_function(self, X: Images) -> np.ndarray:
        """How near each class is, minus the squared distance: (n, classes) float64.

        Of two classes, (n,): by how much the second one is nearer, as scikit-learn has it.
        """
        squares = np.square(self.distances(X))
        return squares[:, 0] - squares[:, 1] if len(self.classes_) == 2 else -squares

    def __sklearn_tags__(self):
        """What scikit-learn's tools may expect: images, and no rows of numbers."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        return tags

    def __getstate__(self) -> dict:
        # A background is read again, as the encoder is.
        state: dict = super().__getstate__()  # pyright: ignore[reportAssignmentType]
        return {key: value for key, value in state.items() if key != "_chosen"}

    def _examples(self, X, y, *, fitting: bool) -> tuple[np.ndarray, np.ndarray]:
        if y is None:
            raise InputError("OneShotClassifier requires y to be passed, but the target y is None")
        vectors = self._represent(X, fitting=fitting)
        names = column_or_1d(y, warn=True)
        check_consistent_length(vectors, names)
        check_classification_targets(names)
        return vectors, names

    def _represent(self, X, *, fitting: bool, broken: dict[int, str] | None = None) -> np.ndarray:
        """Represent images: (n, d) float64; `fitting` sets what later images have to go with."""
        images, found = listed(X), self.representation_
        if fitting:
            self.encoder_digest_ = found.digest
        elif found.digest != self.encoder_digest_:
            raise InputError(f"the encoder {found.name} is another file since this classifier was fitted: fit it again")
        return found(images, broken)


def _background(background):
    """A background as `representation.make` takes it: what is a folder, is searched for images."""
    if isinstance(background, (str, Path)):
        return folders.background(background)
    if isinstance(background, tuple) and len(background) == 2:
        return listed(background[0]), np.asarray(background[1])
    return listed(background)


def listed(X) -> list[Source]:
    """Images as a list; raises InputError for what is no sequence of images, or an empty one."""
    if hasattr(X, "columns"):  # a table
        if len(X.columns) != 1:
            raise InputError(f"the table has {len(X.columns)} columns: give the one that holds the images")
        X = X.iloc[:, 0]
    if isinstance(X, (str, Path)) or not hasattr(X, "__len__") or not hasattr(X, "__iter__"):
        raise InputError("images must be a list or an array, also if there is only one")
    if isinstance(X, np.ndarray):
        X = X[:, 0] if X.dtype.kind in "OUT" and X.ndim == 2 and X.shape[1] == 1 else X
        if X.dtype.kind not in "OUT":
            _check_shape(X.shape)
    images = list(X)
    if not images:
        raise InputError("there are no images: give one at least")
    for number, image in enumerate(images):
        if not isinstance(image, Source):
            raise InputError(f"image {number} is of type {type(image).__name__}: give files, PIL images or arrays")
    return images


def _check_shape(shape: tuple[int, ...]) -> None:
    """Refuse an array that is not clearly several images, one after the other."""
    if len(shape) == 3 and shape[2] in (3, 4):
        raise InputError(
            f"images have the shape {shape}, which is one image in colour: give image[None], or, if you mean many grey"
            " images, images[..., None]"
        )
    if len(shape) == 4 and shape[1] in (1, 3) and shape[3] not in (1, 3, 4):
        raise InputError(f"images have the shape {shape}, channels first: give images.transpose(0, 2, 3, 1)")
    if len(shape) not in (3, 4):
        raise InputError(f"images have the shape {shape}: an array is (n, height, width) or (n, height, width, 3)")
