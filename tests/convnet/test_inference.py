"""Using a ConvNet: the fast convolution in place of the plain one, representations, test metrics."""

import numpy as np
import pytest

from oneshot.convnet import inference, net
from oneshot.core.images import LabelledImages
from oneshot.training.prediction import classification_metrics
from oneshot.training.tensorflow import has_gpu, seed_initialisation


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def model():
    """A narrow net: what is tested depends on no width, and compiling and running the full one takes seconds."""
    seed_initialisation(1)
    return net.build(6, widths=((8, 8), (8, 8, 12)), units=20)


def test_the_fast_net_gives_the_same_outputs(images):
    model = net.build(6)
    fast = inference.accelerate(model, "winograd")
    assert isinstance(fast.get_layer("conv2"), net.Convolution)
    np.testing.assert_allclose(inference.predictor(fast)(images), model(net.standardize(images)), atol=1e-4)
    assert not isinstance(inference.accelerate(model, "plain").get_layer("conv2"), net.Convolution)


def test_auto_means_winograd_on_a_cpu():
    assert inference.use_winograd("auto") == (not has_gpu())
    assert inference.use_winograd("winograd") and not inference.use_winograd("plain")


def test_a_smaller_side_shrinks_the_images_first(model, images):
    inputs = net.standardize(net.shrink(images.astype(np.float32), 16))
    np.testing.assert_allclose(inference.predictor(model, side=16)(images), net.forward(model, inputs), atol=1e-4)


@pytest.mark.parametrize("side", [16, 32])
def test_representations_are_outputs_of_the_layers(model, images, side):
    features = inference.extract_features(model, images, side=side)
    for view, shown in (("", images), ("_mirrored", images[:, :, ::-1])):
        inputs = net.standardize(net.shrink(shown.astype(np.float32), side))
        units, maps = (net.forward(model, inputs, until=layer).numpy() for layer in ("representation", "pool2"))
        np.testing.assert_allclose(np.maximum(features[f"linear{view}"], 0), units, atol=1e-4)
        assert features[f"linear{view}"].min() < -0.01
        np.testing.assert_allclose(features[f"pooled{view}"], maps.mean((1, 2)), atol=1e-4)
    np.testing.assert_array_equal(features["embeddings"], np.maximum(features["linear"], 0))
    assert len(features) == 5 and all(array.dtype == np.float32 for array in features.values())


def test_test_metrics_are_of_the_logits_and_of_their_mean_over_mirror_images(model, images):
    labels = np.array([0, 3, 5, 3])
    logits, mirrored = (model(net.standardize(shown)).numpy() for shown in (images, images[:, :, ::-1]))
    metrics = inference.test_metrics(model, LabelledImages(images, labels, np.arange(4)))
    assert list(metrics) == ["test", "test_flip_averaged"]
    assert metrics["test"] == pytest.approx(classification_metrics(logits, labels), abs=1e-4)
    assert metrics["test_flip_averaged"] == pytest.approx(
        classification_metrics((logits + mirrored) / 2, labels), abs=1e-4
    )
