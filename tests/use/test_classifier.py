"""One-shot classification as a scikit-learn estimator, on images."""

import doctest
import pickle
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from oneshot.use import classifier as module
from oneshot.use import folders, photographs
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
    vectors = np.stack([photographs.prepare(np.array(query)).mean((0, 1)) for query in queries])
    expected = [[np.linalg.norm(vector - mean) for mean in classifier.means_] for vector in vectors]
    assert np.allclose(classifier.distances(queries), expected)
    assert np.allclose(classifier.decision_function(queries), -np.square(expected))


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
    classifier = fitted(method="root")
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
    search = GridSearchCV(OneShotClassifier(), {"method": ["raw", "root"]}, cv=3, error_score="raise")
    assert search.fit(found.paths, found.names).best_score_ == 1


def test_an_encoder_that_is_another_file_by_now_is_refused():
    classifier = fitted()
    stand_in.write(Path("encoders/6-class.onnx"), (1, 32, 32, 3))
    with pytest.raises(InputError, match="6-class is another file since this classifier was fitted: fit it again"):
        classifier.predict([plain((1, 2, 3))])


def test_more_examples_and_another_class_are_those_of_one_fit():
    found = folders.examples("examples")
    whole = fitted()
    parts = OneShotClassifier().fit(found.paths[:5], found.names[:5])
    parts.partial_fit(found.paths[5:7], found.names[5:7]).partial_fit(found.paths[7:], found.names[7:])
    assert parts.classes_.tolist() == whole.classes_.tolist() and parts.counts_.tolist() == [3, 3, 3]
    np.testing.assert_allclose(parts.means_, whole.means_)


def test_names_and_numbers_are_not_mixed():
    images = [plain((9, 9, 9)), plain((200, 9, 9))]
    for first, then in ((["a", "b"], [1, 2]), ([1, 2], ["a", "b"])):
        with pytest.raises(InputError, match="give names, or numbers"):
            OneShotClassifier().fit(images, first).partial_fit(images, then)


def test_probabilities_are_of_the_temperature_in_the_file():
    queries = [plain((100, 100, 90)), plain((0, 0, 0))]
    classifier = fitted()
    squares = classifier.distances(queries) ** 2
    expected = np.exp(-squares / (900 * (1 + 1 / 3)))
    np.testing.assert_allclose(classifier.predict_proba(queries), expected / expected.sum(1, keepdims=True))
    with pytest.raises(InputError, match="no probabilities without a temperature: give a background"):
        fitted(method="root").predict_proba(queries)


def test_an_encoder_of_ones_own_with_a_background_folder():
    def colours(images):
        return np.stack([image.mean((0, 1)) for image in images])

    classifier = fitted(encoder=colours, background="examples")
    assert classifier.predict_proba([plain(COLOURS["red"], 7)]).argmax() == 2
    assert cross_val_score(clone(classifier), *_examples(), cv=3).tolist() == [1, 1, 1]


def _examples():
    found = folders.examples("examples")
    return found.paths, found.names


def test_columns_of_a_table_hold_images():
    table = pd.DataFrame({"image": ["new/some red é.png", "new/some blue é.png"], "number": [1, 2]})
    for images in (table["image"], table[["image"]], table[["image"]].to_numpy()):
        assert fitted().predict(images).tolist() == ["red", "blue"]
    with pytest.raises(InputError, match="the table has 2 columns: give the one that holds the images"):
        fitted().predict(table)


def test_arrays_that_could_be_something_else_are_refused():
    image = np.array(plain((200, 0, 0)))
    with pytest.raises(InputError, match=r"shape \(40, 50, 3\), which is one image in colour: give image\[None\]"):
        fitted().predict(image)
    with pytest.raises(InputError, match=r"channels first: give images.transpose\(0, 2, 3, 1\)"):
        fitted().predict(image.transpose(2, 0, 1)[None])
    expected = fitted().distances(image[None])
    np.testing.assert_allclose(fitted().distances(image[None] / 255), expected, rtol=1e-6)
    np.testing.assert_array_equal(fitted().distances(image[None].astype(np.int64)), expected)


def test_threads_give_the_same_and_change_nothing_of_the_process():
    classifier, queries = fitted(), [plain((90, 80, 70), change) for change in range(6)]
    expected, streams, before = classifier.distances(queries), (sys.stdout, sys.stderr), list(warnings.filters)
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(lambda _: classifier.distances(queries), range(12)))
    assert all(np.array_equal(one, expected) for one in found)
    assert (sys.stdout, sys.stderr) == streams and warnings.filters == before


def test_importing_the_package_loads_nothing_and_the_classifier_no_tensorflow():
    code = (
        "import sys, oneshot; assert 'numpy' not in sys.modules\n"
        "oneshot.OneShotClassifier; assert not {'tensorflow', 'keras', 'pydantic', 'matplotlib'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2] / "src"
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("images", "names", "sentence"),
    [
        ([], [], "there are no images"),
        ("examples", ["a"], "images must be a list or an array, also if there is only one"),
        (plain((1, 2, 3)), ["a"], "images must be a list or an array"),
        (np.zeros((20, 10)), ["a"] * 20, r"images have the shape \(20, 10\): an array is \(n, height, width\)"),
        ([3], ["a"], "image 0 is of type int: give files, PIL images or arrays"),
        ([plain((1, 2, 3)), plain((9, 9, 9))], ["a", "a"], "there is one class only, a: give examples of two"),
        ([plain((9, 9, 9))] * 2, ["a", "b"], "all examples look the same to the encoder: give other images"),
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
    for name, colour in {"ring": (200, 100, 50), "cross": (20, 20, 90), "what": (190, 90, 50)}.items():
        plain(colour).save(f"{name}.png")
    stand_in.write(Path("encoders/siamese-3d.onnx"))
    (example,) = doctest.DocTestFinder(recurse=False).find(
        OneShotClassifier, "example", globs={"OneShotClassifier": OneShotClassifier}, module=module
    )
    assert len(example.examples) == 2
    assert doctest.DocTestRunner().run(example).failed == 0
