"""One-shot classification as a scikit-learn estimator, on images."""

import doctest
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from oneshot.use import classifier as module
from oneshot.use import folders, nets
from oneshot.use.classifier import OneShotClassifier
from oneshot.use.mistakes import InputError
from tests.use import stand_in
from tests.use.conftest import COLOURS, plain

pytestmark = pytest.mark.usefixtures("project")


def fitted(**options) -> OneShotClassifier:
    found = folders.examples("examples")
    return OneShotClassifier(**options).fit(found.paths, found.names)


def test_each_query_has_the_class_of_the_nearest_examples():
    classifier = fitted(method="raw")
    assert classifier.classes_.tolist() == list(COLOURS)
    assert np.abs(classifier.means_ - [np.add(colour, 1) for colour in COLOURS.values()]).max() < 2
    queries = [plain(colour, 7) for colour in COLOURS.values()]
    assert classifier.predict(queries).tolist() == list(COLOURS)
    assert classifier.score(queries, list(COLOURS)) == 1


def test_distances_are_euclidean_to_the_means_of_the_classes():
    classifier = fitted(method="raw")
    queries = [plain((100, 100, 100)), plain((0, 0, 0))]
    vectors = np.stack([nets.photographs.prepare(np.array(query)).mean((0, 1)) for query in queries])
    expected = [[np.linalg.norm(vector - mean) for mean in classifier.means_] for vector in vectors]
    assert np.allclose(classifier.distances(queries), expected)
    assert np.allclose(classifier.decision_function(queries), np.negative(expected))


def test_files_images_and_arrays_are_the_same():
    path = Path("new/some red é.png")
    image = Image.open(path)
    found = fitted().distances([path, str(path), image, np.array(image)])
    assert (found == found[0]).all()
    assert np.array_equal(fitted().distances(np.array(image)[None]), found[:1])
    assert fitted().predict(np.array([str(path)])).tolist() == ["red"]


def test_classes_may_be_numbers_and_one_example_each_is_enough():
    classifier = OneShotClassifier().fit([plain((200, 0, 0)), plain((0, 0, 200))], [7, 3])
    assert classifier.predict([plain((90, 10, 10))]).tolist() == [7]
    # Of two classes the sign decides, as scikit-learn has it.
    assert classifier.decision_function([plain((90, 10, 10)), plain((0, 0, 9))])[0] > 0


def test_it_is_cloned_and_pickled_without_the_net():
    classifier = fitted(method="power")
    assert clone(classifier).get_params() == classifier.get_params()
    assert not hasattr(clone(classifier), "means_")
    packed = pickle.dumps(classifier)
    assert len(packed) < 2000
    queries = [plain(colour, 7) for colour in COLOURS.values()]
    assert np.array_equal(pickle.loads(packed).distances(queries), classifier.distances(queries))


def test_pipelines_searches_and_cross_validation():
    found = folders.examples("examples")
    darker = FunctionTransformer(lambda paths: [Image.open(path).point(lambda value: value // 2) for path in paths])
    pipeline = make_pipeline(darker, OneShotClassifier())
    assert pipeline.fit(found.paths, found.names).predict(["new/some blue é.png"]).tolist() == ["blue"]
    assert cross_val_score(OneShotClassifier(), found.paths, found.names, cv=3).tolist() == [1, 1, 1]
    search = GridSearchCV(OneShotClassifier(), {"method": ["raw", "centred"]}, cv=3, error_score="raise")
    assert search.fit(found.paths, found.names).best_score_ == 1


def test_a_net_that_was_trained_again_is_refused(monkeypatch):
    classifier = fitted()
    again = stand_in.load("6-class")
    object.__setattr__(again, "hash", "2")
    monkeypatch.setattr(nets, "load", lambda *names: again)
    with pytest.raises(
        InputError, match="6-class has been trained again since this classifier was fitted: fit it again"
    ):
        classifier.predict([plain((1, 2, 3))])


@pytest.mark.parametrize(
    ("images", "names", "sentence"),
    [
        ([], [], "there are no images"),
        ("examples", ["a"], "images must be a list or an array, also if there is only one"),
        (plain((1, 2, 3)), ["a"], "images must be a list or an array"),
        (np.zeros((20, 10)), ["a"] * 20, r"images have the shape \(20, 10\): an array is \(n, height, width\)"),
        ([3], ["a"], "image 0 is of type int: give files, PIL images or arrays"),
        ([plain((1, 2, 3)), plain((9, 9, 9))], ["a", "a"], "there is one class only, a: give examples of two"),
        ([plain((9, 9, 9))] * 2, ["a", "b"], "all examples look the same to the net: give other images"),
        ([plain((9, 9, 9))], None, "requires y to be passed"),
        ([plain((9, 9, 9))], ["a", "b"], "inconsistent numbers of samples"),
        (["none.png", plain((9, 9, 9))], ["a", "b"], r"none\.png is missing"),
    ],
)
def test_mistakes_end_in_a_value_error(images, names, sentence):
    with pytest.raises(ValueError, match=sentence):
        OneShotClassifier().fit(images, names)


def test_it_has_to_be_fitted():
    with pytest.raises(NotFittedError):
        OneShotClassifier().predict([plain((1, 2, 3))])


def test_the_example_of_the_documentation():
    for name, colour in {"cat": (200, 100, 50), "car": (20, 20, 90), "who": (190, 90, 50)}.items():
        plain(colour).save(f"{name}.jpg")
    (example,) = doctest.DocTestFinder(recurse=False).find(
        OneShotClassifier, "example", globs={"OneShotClassifier": OneShotClassifier}, module=module
    )
    assert len(example.examples) == 2
    assert doctest.DocTestRunner().run(example).failed == 0
