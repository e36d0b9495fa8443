"""The trained nets by name: loaded as the pipeline left them, or a sentence that says what to run."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from oneshot.core import files
from oneshot.core.errors import UserError
from oneshot.core.images import LabelledImages, first_of_each, join
from oneshot.datasets import cifar10
from oneshot.evaluation import transforms
from oneshot.splits.params import Cifar10Params
from oneshot.splits.split import split_cifar10
from oneshot.use import nets
from oneshot.use.mistakes import InputError
from tests.export import made_up

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project in which nothing has run, as the working directory."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def drawings() -> np.ndarray:
    return np.random.default_rng(1).random((5, 28, 28, 1), np.float32)


def test_a_siamese_net_represents_as_in_the_pipeline(project):
    from oneshot.siamese import net
    from oneshot.training.prediction import embedder

    for dimensions in (2, 3):
        model = net.build(dimensions, dropout=0.3)
        files.write_weights(f"models/siamese-{dimensions}d.weights.h5", model)
        found = nets.load(f"siamese-{dimensions}d")
        assert np.array_equal(found.represent(drawings()), embedder(model)(drawings()))
        assert found.prepare(np.eye(50, dtype=np.uint8)[..., None].repeat(3, 2) * 255).shape == (28, 28, 1)


def test_a_dense_embedding_net_represents_as_in_the_pipeline(project):
    from oneshot.dense_embedding import net
    from oneshot.training.prediction import embedder

    for name, classes in (("dense-all", 10), ("dense-seen", 5)):
        model = net.build(classes)
        files.write_weights(f"models/{name}.weights.h5", model)
        expected = embedder(net.embedding(model))(drawings())
        assert np.array_equal(nets.load(name).represent(drawings()), expected)


def test_a_clone_without_weights_takes_the_exported_digit_net(project):
    from oneshot.export import keras_file
    from oneshot.export import nets as exported
    from oneshot.training.maps import last_maps
    from oneshot.training.tensorflow import keras

    made_up.write("siamese-2d", project / "weights.h5")
    path = project / "exports/siamese-2d/siamese-2d.keras"
    files.write_bytes(path, keras_file.encode(exported.load("siamese-2d", project / "weights.h5")))
    images = (255 * drawings()).astype(np.uint8)
    expected = keras.models.load_model(path)(images)
    found = nets.load("siamese-2d").represent(images / np.float32(255))
    assert np.abs(found - expected).max() < 1e-6
    maps = np.random.default_rng(4).random((20, 45), np.float32)
    files.write_arrays("features/siamese-2d", {"seen_maps": maps, "seen_labels": np.arange(20) % 2})
    model: keras.Sequential = keras.models.load_model(path)
    cut = last_maps(keras.Model(model.inputs, model.get_layer("pool2").output, name="cut"))
    layers = {"maps": np.array(cut(images))[None]}, {"maps": maps[None]}
    expected = transforms.represent("maps_whitened", *layers, np.arange(20) % 2)
    found = nets.load("siamese-2d", "maps_whitened")
    np.testing.assert_allclose(found.represent(images / np.float32(255)), expected, atol=1e-5)
    files.write_arrays("features/siamese-2d", {"seen_maps": maps + 1})
    assert nets.load("siamese-2d", "maps_whitened") is not found
    whole = path.read_bytes()
    place = whole.index(b'"class_name"')
    for damaged in (b"no ZIP archive", whole[:place] + b"'" + whole[place + 1 :]):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=r"siamese-2d\.keras is no net that Keras can load"):
            nets.load("siamese-2d")


def test_a_net_is_loaded_once_and_again_after_a_training(project):
    from oneshot.siamese import net

    files.write_weights("models/siamese-2d.weights.h5", net.build(2, dropout=0.0))
    first = nets.load("siamese-2d")
    assert nets.load("siamese-2d") is first
    files.write_weights("models/siamese-2d.weights.h5", net.build(2, dropout=0.0))
    again = nets.load("siamese-2d")
    assert again.hash != first.hash
    assert not np.array_equal(again.represent(drawings()), first.represent(drawings()))


@pytest.mark.parametrize("name", ["siamese-3d", "dense-seen"])
def test_a_digit_net_represents_by_its_last_maps_as_in_the_pipeline(project, name):
    from oneshot.dense_embedding import net as dense
    from oneshot.siamese import net as siamese
    from oneshot.training.maps import last_maps
    from oneshot.training.prediction import embedder

    model = siamese.build(3, dropout=0.2) if name == "siamese-3d" else dense.build(5)
    files.write_weights(f"models/{name}.weights.h5", model)
    with pytest.raises(UserError, match=rf"features/{name}/seen_maps.npy is missing, .*: run `dvc repro train_"):
        nets.load(name, "maps_whitened")
    read, labels = embedder(last_maps(model)), np.arange(40, dtype=np.uint8) % 5
    seen = read(np.random.default_rng(2).random((40, 28, 28, 1), np.float32))
    files.write_arrays(f"features/{name}", {"seen_maps": seen, "seen_labels": labels})
    maps = ({"maps": found[None]} for found in (read(drawings()), seen))
    expected = transforms.represent("maps_whitened", *maps, labels)
    assert np.array_equal(nets.load(name, "maps_whitened").represent(drawings()), expected)


def test_the_convnet_and_the_digit_nets_take_their_own_methods():
    assert all(nets.check(nets.CONVNET, method) == method for method in transforms.METHODS)
    assert all(nets.check("dense-all", method) == method for method in transforms.DIGIT_METHODS)
    with pytest.raises(InputError, match="the net siamese-2d goes with raw, maps_whitened"):
        nets.check("siamese-2d", "whitened")
    with pytest.raises(
        InputError, match="method maps_whitened is for the digit nets: the net 6-class goes with raw, unit"
    ):
        nets.check(nets.CONVNET, "maps_whitened")
    assert [nets.check(name, None) for name in nets.NAMES] == ["both_whitened", *["raw"] * 4]


@pytest.mark.parametrize("method", ["raw", "both_whitened", "mirror_both_whitened"])
def test_a_method_is_that_of_the_evaluations(project, monkeypatch, method):
    """The features of images that are classified, from the stored weights, are those of the stage extract_features."""
    from oneshot.convnet import inference, net
    from oneshot.training.tensorflow import keras

    monkeypatch.setitem(net.build.__kwdefaults__, "widths", ((8, 8), (8, 8, 16)))
    monkeypatch.setitem(net.build.__kwdefaults__, "units", 24)
    keras.utils.set_random_seed(0)
    model = net.build(6)
    files.write_weights("models/6-class.weights.h5", model)
    images = np.random.default_rng(3).integers(0, 256, (40, 32, 32, 3)).astype(np.uint8)
    stored = inference.represent(inference.accelerate(model, "auto"), images)
    labels = np.repeat([0, 1, 6, 7], 10).astype(np.uint8)
    indices = np.repeat([0, cifar10.TRAINING], 20) + np.arange(40)
    files.write_arrays("features/6-class", {**stored, "labels": labels, "indices": indices})
    layers, seen = transforms.layers_of(stored, labels >= 6), transforms.layers_of(stored, labels < 6)
    expected = transforms.represent(method, layers, seen, labels[labels < 6])
    found = nets.load("6-class", method).represent(images[labels >= 6])
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("limit", [None, 2])
def test_the_seen_classes_are_those_of_the_run_that_made_the_features(project, limit):
    """params.yaml names others by now; and the fewest images that a run may take are enough to know."""
    labels = (np.arange(60_000) % 10).astype(np.uint8)
    others = Cifar10Params(seen_classes=[8, 0, 3], unseen_classes=[9, 1], validation_per_class=1, limit_per_class=limit)
    parts = split_cifar10(labels, cifar10.TRAINING, others, seed=1)["6-class"]
    images = LabelledImages(np.arange(60_000, dtype=np.float32)[:, None], labels, np.arange(60_000)).parts(parts)
    # As in stages/extract_features.py.
    stored = join([images["unseen"], first_of_each(images["train"], 400)])
    layers = {f"{layer}{view}": stored.images for layer in ("linear", "pooled") for view in ("", "_mirrored")}
    files.write_arrays("features/6-class", {**layers, "labels": stored.labels, "indices": stored.indices})
    found, names = nets._seen(project, "whitened")
    assert np.unique(names).tolist() == [0, 3, 8]
    assert len(names) == (1200 if limit is None else 3)
    assert np.isin(found["linear"][:, :, 0], parts["train"]).all()


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("6-class", r"run `make repro` \(an hour on two cores\)"),
        ("siamese-3d", r"run `dvc repro train_siamese@siamese-3d` \(two minutes\)"),
        ("dense-seen", r"run `dvc repro train_dense_embedding@dense-seen` \(two minutes\)"),
    ],
)
def test_a_net_that_is_not_there_says_what_to_run(project, name, command):
    with pytest.raises(
        UserError, match=rf"models/{name}\.weights\.h5 is missing: {command}, or `dvc pull` if a remote"
    ):
        nets.load(name)


def test_missing_features_say_which_methods_do_without(project):
    Path("models").mkdir()
    Path("models/6-class.weights.h5").write_bytes(b"")
    with pytest.raises(
        UserError, match="features/6-class is missing, and only the methods raw, unit, power and mirror"
    ):
        nets.load("6-class")
    without = {name for name in transforms.METHODS if not nets._OF_SEEN & set(transforms.METHODS[name].steps)}
    assert without == {"raw", "unit", "power", "mirror"}


def test_a_broken_file_of_weights_is_named(project):
    Path("models").mkdir()
    Path("models/siamese-2d.weights.h5").write_bytes(b"no HDF5")
    with pytest.raises(UserError, match=r"models/siamese-2d\.weights\.h5 does not hold the weights of siamese-2d"):
        nets.load("siamese-2d")


def test_another_folder_than_the_projects_root_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"params\.yaml is missing: run from the project's root"):
        nets.load("6-class")
    with pytest.raises(UserError, match=r"params\.yaml is missing: it is not the project's root"):
        nets.load("6-class", root=tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("name", "method", "sentence"),
    [
        ("7-class", None, "net must be one of 6-class, siamese-2d, .*, but is '7-class'"),
        ("6-class", "transductive", "method must be one of raw, unit, .*, but is 'transductive'"),
        ("dense-all", "centred", "method centred is for the 6-class net: the net dense-all goes with raw"),
    ],
)
def test_unknown_names_are_refused(name, method, sentence):
    with pytest.raises(InputError, match=sentence):
        nets.check(name, method)


def test_a_net_that_gives_no_numbers_is_named():
    broken = nets.Net(
        "6-class", "raw", lambda image: image, lambda inputs: {"units": inputs[None] * np.nan}, *nets._NONE, ""
    )
    with pytest.raises(UserError, match="the 6-class net gives no numbers: lower its learning rate"):
        broken.represent(np.ones((2, 3), np.float32))
