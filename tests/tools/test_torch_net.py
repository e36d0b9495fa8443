"""The probes' net in PyTorch must be that of the pipeline (skipped without PyTorch, which only these probes need)."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from oneshot.convnet import losses, net, sides, training  # noqa: E402
from oneshot.convnet.params import ConvnetParams  # noqa: E402
from oneshot.core import params  # noqa: E402
from tools import torch_net  # noqa: E402

WIDTHS, UNITS = ((60, 8), (8, 8, 12)), 10
CHANGES = {
    "learning_rate": 0.02, "warmup": 0.5, "weight_penalty": 0.001, "offset_rate": 3.0, "label_smoothing": 0.2,
    "norm_penalty": 0.7, "cell_loss": 0.6, "dropout_units": 0.0,
}  # fmt: skip


@pytest.mark.skipif(torch_net.CUDA, reason="on a GPU the probes compute in bfloat16")
@pytest.mark.parametrize(("side", "frozen"), [(16, 1), (24, 1), (32, 2)])
def test_two_steps_and_the_logits_are_those_of_the_pipeline(side, frozen):
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(64, 32, 32, 3), dtype=np.uint8)
    labels, filters = rng.integers(6, size=64), rng.normal(size=(54, 3, 3, 3)).astype(np.float32)
    setting = torch_net.Setting(
        rate=0.02, sgd_rate=0.02, warmup=0.5, penalty=0.001, dense_penalty=0.001, offset_rate=3.0, smoothing=0.2,
        norm_penalty=0.7, cell_loss=0.6, epochs=((side, 1),), frozen=(frozen,), batch=32,
    )  # fmt: skip
    stored = torch.tensor(images)
    trainer = torch_net.Trainer(stored, torch_net.reflected(stored), WIDTHS, UNITS, steps=2)
    trainer.prepare(setting, 6)
    trainer._start(setting, torch.tensor(filters), 2, 1)
    model = net.build(6, widths=WIDTHS, units=UNITS, batch_norm=True)
    for number, kernel in enumerate(trainer.kernels, 1):
        model.get_layer(f"conv{number}").kernel.assign(kernel.detach().numpy().transpose(2, 3, 1, 0))
    model.get_layer("representation").kernel.assign(trainer.dense[32].detach().numpy())
    model.get_layer("logits").kernel.assign(trainer.last.detach().numpy())
    cells = losses.cell_classifier(model)
    cells.assign(trainer.cells.detach().numpy())
    batches, draw_batch = [], trainer._batch

    def keep_batch(*arguments):
        batches.append(draw_batch(*arguments))
        return batches[-1]

    trainer._batch = keep_batch
    list(trainer.train(setting, np.arange(64), labels, filters, seed=1))

    recipe = ConvnetParams.model_validate(params.read()["convnet"]).recipe_of("6-class").model_copy(update=CHANGES)
    of_side = sides.net_of_side(model, side)
    optimizer = training.make_optimizer(of_side, recipe, 2)
    optimizer.build([*of_side.trainable_variables, cells])
    if of_side is not model:
        sides.move(model.variables, of_side.variables)
    step = training.make_step(of_side, optimizer, recipe, frozen=frozen, cells=cells)
    for batch, targets in batches:
        step(batch.numpy().transpose(0, 2, 3, 1), targets.numpy().astype(np.int32))
    if of_side is not model:
        sides.move(of_side.variables, model.variables)

    for number, kernel in enumerate(trainer.kernels, 1):
        expected = model.get_layer(f"conv{number}").kernel.numpy()
        np.testing.assert_allclose(kernel.detach().numpy().transpose(2, 3, 1, 0), expected, atol=5e-4)
    for place, name in enumerate([*(f"conv{number}" for number in range(1, 6)), "representation"]):
        norm = model.get_layer(f"{name}_norm")
        np.testing.assert_allclose(trainer.means[place], norm.mean.numpy(), atol=1e-4)
        np.testing.assert_allclose(trainer.variances[place], norm.variance.numpy(), atol=1e-4)
        np.testing.assert_allclose(trainer.offsets[place].detach(), norm.offset.numpy(), atol=5e-4)
    np.testing.assert_allclose(trainer.cells.detach(), cells.numpy(), atol=5e-4)
    logits = trainer.logits(trainer.represent(np.arange(64), mirrored=False)[0])
    expected = net.forward(model, net.standardize(images)).numpy()
    np.testing.assert_allclose(logits, expected, atol=0.01 * np.abs(expected).max())


def test_supervised_contrast_is_that_of_a_loop():
    rng = np.random.default_rng(0)
    units, labels = rng.normal(size=(12, 5)).astype(np.float32), rng.integers(3, size=12)
    unit = units / np.linalg.norm(units, axis=1, keepdims=True)
    losses = []
    for anchor in range(12):
        others = [place for place in range(12) if place != anchor]
        total = sum(np.exp(unit[anchor] @ unit[place] / 0.1) for place in others)
        same = [place for place in others if labels[place] == labels[anchor]]
        logs = [np.log(np.exp(unit[anchor] @ unit[place] / 0.1) / total) for place in same]
        losses.append(-np.mean(logs) if same else 0.0)
    result = torch_net.supervised_contrast(torch.tensor(units), torch.tensor(labels))
    np.testing.assert_allclose(float(result), np.mean(losses), rtol=1e-5)
