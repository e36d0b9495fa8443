"""No training uses an operation without a deterministic GPU kernel: found without a GPU, in the traced graphs."""

import itertools
from typing import Literal

import numpy as np
import pytest

from oneshot.convnet import net
from oneshot.convnet import training as convnet
from oneshot.convnet.losses import cell_classifier
from oneshot.convnet.params import Recipe
from oneshot.core import params
from oneshot.core.images import LabelledImages
from oneshot.dense_embedding import net as dense_net
from oneshot.dense_embedding import training as dense
from oneshot.dense_embedding.params import DenseEmbeddingParams
from oneshot.siamese import net as siamese_net
from oneshot.siamese import training as siamese
from oneshot.siamese.params import Recipe as SiameseRecipe
from oneshot.training.checkpoint import Checkpoint
from oneshot.training.tensorflow import tf

# The operations whose GPU kernels refuse to run under op determinism, or have no other: the messages "A deterministic
# GPU implementation of ... is not currently available" and "Determinism is not yet supported ..." of TensorFlow 2.21.
# (Python's softmax cross-entropies take another path under determinism, so that the plain operations must not occur.)
REFUSED = {
    "AdjustContrast",
    "AdjustContrastv2",
    "Bincount",
    "CropAndResizeGradBoxes",
    "CropAndResizeGradImage",
    "DenseBincount",
    "Dilation2DBackpropFilter",
    "Dilation2DBackpropInput",
    "FakeQuantWithMinMaxVarsGradient",
    "FakeQuantWithMinMaxVarsPerChannelGradient",
    "MaxPoolGradWithArgmax",
    "ResizeBilinearGrad",
    "ResizeNearestNeighborGrad",
    "ScatterAdd",
    "ScatterNdAdd",
    "ScatterUpdate",
    "SoftmaxCrossEntropyWithLogits",
    "SparseSoftmaxCrossEntropyWithLogits",
    "SparseTensorDenseMatMul",
    "Svd",
}


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> list:
    """All tf.functions that are made in the block."""
    made = []
    original = tf.function

    def record(*arguments, **options):
        result = original(*arguments, **options)
        if not arguments:
            return lambda function: made.append(result(function)) or made[-1]
        made.append(result)
        return result

    monkeypatch.setattr(tf, "function", record)
    return made


def operations(functions: list) -> set[str]:
    """The kinds of all operations in the graphs of functions, including the functions that they call."""
    kinds = set()
    for function in functions:
        for concrete in function._list_all_concrete_functions():
            graph = concrete.graph.as_graph_def()
            kinds |= {node.op for node in graph.node}
            kinds |= {node.op for called in graph.library.function for node in called.node_def}
    return kinds


def digits(count: int) -> LabelledImages:
    rng = np.random.default_rng(0)
    images = rng.uniform(size=(count, 28, 28, 1)).astype(np.float32)
    return LabelledImages(images, np.arange(count) % 5, np.arange(count))


# These two have all kinds of operations that the eight cases have.
FEW = {(8, "winograd"), (32, "plain")}
CONVNETS = [
    pytest.param(*case, marks=[] if case in FEW else pytest.mark.long)
    for case in itertools.product((8, 16, 24, 32), ("winograd", "plain"))
]


@pytest.mark.parametrize(("side", "convolution"), CONVNETS)
def test_the_convnets(side: int, convolution: Literal["winograd", "plain"], traced: list, monkeypatch):
    """At every side: below 32 an enlarged map would bring ResizeNearestNeighborGrad. What is traced has no widths."""
    monkeypatch.setitem(net.build.__kwdefaults__, "widths", ((8, 8), (8, 8, 8)))
    monkeypatch.setitem(net.build.__kwdefaults__, "units", 12)
    recipe = Recipe.model_validate(
        params.read()["convnet"]["recipe"]
        | {"resolution_schedule": [[side, 1]], "feature_norm_penalty": 1.0, "dense_classification_loss": 1.0}
    )
    model = convnet.build(6, recipe, convolution)
    cells = cell_classifier(model)
    step = convnet.make_step(model, convnet.make_optimizer(model, recipe, 10), recipe, cells=cells)
    step.get_concrete_function(tf.TensorSpec((2, side, side, 3), tf.float32), tf.TensorSpec((2,), tf.int32))
    found = operations(traced)
    assert "Conv2D" in found or "BatchMatMulV2" in found
    assert not found & REFUSED


def test_the_siamese_net(traced: list, tmp_path):
    recipe = SiameseRecipe.model_validate(
        params.read()["siamese"]
        | {"margin": 1.0, "epochs": 1, "images_per_epoch": 8, "batch": 8, "evaluation_pairs": 4}
    )
    common = {"seed": 1, "checkpoint": Checkpoint(tmp_path, "net"), "on_epoch": lambda row: None}
    siamese.train(siamese_net.build(2, 0.1), digits(20), digits(20), recipe, **common)
    found = operations(traced)
    assert "Conv2DBackpropFilter" in found
    assert not found & REFUSED


def test_the_dense_net(traced: list, tmp_path):
    recipe = DenseEmbeddingParams(epochs=1, batch=8, learning_rate=0.01)
    common = {"seed": 1, "checkpoint": Checkpoint(tmp_path, "net"), "on_epoch": lambda row: None}
    dense.train(dense_net.build(5), digits(20), digits(20), recipe, **common)
    found = operations(traced)
    assert "Conv2DBackpropFilter" in found
    assert not found & REFUSED
