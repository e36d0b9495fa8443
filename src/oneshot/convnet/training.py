"""Training the ConvNets."""

import contextlib
import math
from collections.abc import Callable, Iterator

import numpy as np

from oneshot.convnet import net
from oneshot.convnet.inference import predictor, use_winograd
from oneshot.convnet.losses import cell_classifier, dense_classification_entropy, feature_norm_spread
from oneshot.convnet.muon import Muon, Triangle
from oneshot.convnet.params import AugmentationParams, Recipe, RecipeParams
from oneshot.convnet.sides import copies_of_a_cell, move, net_of_side
from oneshot.convnet.whitening import WHITENED, whitening_filters
from oneshot.core import processor
from oneshot.core.errors import UserError
from oneshot.core.images import LabelledImages
from oneshot.core.seeds import generator
from oneshot.training import augment
from oneshot.training.checkpoint import Checkpoint
from oneshot.training.loop import OnEpoch, average_over, run_epochs, seed_dropout
from oneshot.training.prediction import classification_metrics
from oneshot.training.tensorflow import adam, has_gpu, keras, known_size, tf


def check_precision(precision: str) -> None:
    """Raise UserError if this machine has no fast instructions for a precision ("float32" or "bfloat16")."""
    if precision == "bfloat16" and not (has_gpu() or "avx512_bf16" in processor.instructions()):
        raise UserError(
            "this processor has no instructions for bfloat16 (avx512_bf16): set compute.precision in params.yaml to"
            " float32"
        )


def build(classes: int, recipe: RecipeParams, convolution: str, precision: str = "float32") -> keras.Sequential:
    """Build the net as the recipe trains it; convolution: see inference.use_winograd; precision: see net.build."""
    return net.build(
        classes,
        batch_norm=recipe.batch_norm,
        # In bfloat16 the plain convolution is faster than Winograd's transforms.
        fast=use_winograd(convolution) and precision == "float32",
        precision=precision,
        dropout_maps=recipe.dropout_maps,
        dropout_flatten=recipe.dropout_flatten,
        dropout_units=recipe.dropout_units,
    )


def train(
    model: keras.Sequential,
    train_set: LabelledImages,
    validation_set: LabelledImages,
    recipe: Recipe,
    *,
    seed: int,
    checkpoint: Checkpoint,
    on_epoch: OnEpoch,
) -> list[dict[str, float]]:
    """Train a net of `build` in place; return the metrics of each epoch.

    train_set, validation_set: images (n, 32, 32, 3) uint8, labels 0 .. classes - 1. The reported loss is the
    cross-entropy without smoothing and penalties. Validation images have the side of the epoch's training images:
    a net that was trained only on small images does not work on large ones.
    """
    sides, batch = recipe.sides(), min(recipe.batch, len(train_set.images))
    if recipe.whitening_filters:
        whiten(model, train_set.images[:WHITENED])
    steps = [max(1, int(part * len(train_set.images)) // batch) for _, part in sides]
    states = States(model, recipe, sum(steps))
    # Each is made once, as it is compiled in its first call.
    step_of = {
        (side, frozen): states.make_step(side, frozen) for (side, _), frozen in zip(sides, _frozen(recipe), strict=True)
    }
    predictors = {side: predictor(model, side=side) for side, _ in sides}

    def train_epoch(epoch):
        (side, _), frozen = sides[epoch], _frozen(recipe)[epoch]
        batches = epoch_batches(train_set, batch, side, recipe.augmentation, seed, epoch).take(steps[epoch])
        with states.at(side) as of_side:
            seed_dropout(of_side, seed, epoch)
            label = f"epoch {epoch + 1}/{len(sides)}"
            return average_over(batches, step_of[side, frozen], total=steps[epoch], label=label)

    def validate(epoch):
        return classification_metrics(predictors[sides[epoch][0]](validation_set.images), validation_set.labels)

    weights = {name: getattr(recipe, name) for name in ("feature_norm_penalty", "dense_classification_loss")}
    parts = (f", or this net's convnet.{name}, which is {weight:g}" for name, weight in weights.items() if weight)
    return run_epochs(
        epochs=len(sides),
        variables=states.variables,
        train_epoch=train_epoch,
        validate=validate,
        checkpoint=checkpoint,
        on_epoch=on_epoch,
        rate=f"convnet.recipe.learning_rate, which is {recipe.learning_rate:g}{''.join(parts)}",
    )


class States:
    """What training changes: the net and its optimizer, and the same at each smaller side (see sides.py)."""

    def __init__(self, model: keras.Sequential, recipe: Recipe, steps: int):
        """model: of side 32; steps: of the whole training."""
        self._recipe = recipe
        self._nets = {side: net_of_side(model, side) for side in {net.SIDE, *(side for side, _ in recipe.sides())}}
        self._cells = cell_classifier(model) if recipe.dense_classification_loss else None
        further = [] if self._cells is None else [self._cells]
        self._optimizers = {side: make_optimizer(of_side, recipe, steps) for side, of_side in self._nets.items()}
        for side, optimizer in self._optimizers.items():
            optimizer.build([*self._nets[side].trainable_variables, *further])
        self.variables = [*model.variables, *further, *self._optimizers[net.SIDE].variables]

    def make_step(self, side: int, frozen: int) -> Callable:
        """The training step at a side, see `make_step`."""
        return make_step(self._nets[side], self._optimizers[side], self._recipe, frozen=frozen, cells=self._cells)

    @contextlib.contextmanager
    def at(self, side: int) -> Iterator[keras.Sequential]:
        """The net of a side, with the weights of the full one; what it has learned is moved back."""
        if side != net.SIDE:
            self._move(net.SIDE, side)
        yield self._nets[side]
        if side != net.SIDE:
            self._move(side, net.SIDE)

    def _move(self, source: int, target: int) -> None:
        move(self._nets[source].variables, self._nets[target].variables)
        momentum = self._optimizers[source].variables, self._optimizers[target].variables
        move(*momentum, moments=self._recipe.optimizer == "adam")


def _frozen(recipe: Recipe) -> list[int]:
    """How many of the first convolutions each epoch leaves as they are: whitening filters always."""
    always = int(recipe.whitening_filters)
    counts = [always] * len(recipe.sides())
    if len(recipe.resolution_schedule) > 1:
        last = math.ceil(recipe.resolution_schedule[-1][1])
        counts[-last:] = [max(always, recipe.frozen)] * last
    return counts


def whiten(model: keras.Sequential, images: np.ndarray) -> None:
    """Set the first convolution's filters to whitening directions of images (n, 32, 32, 3) uint8."""
    kernel = model.get_layer("conv1").kernel
    filters = whitening_filters(net.standardize(images).numpy())[..., : kernel.shape[-1]]
    kernel.assign(np.concatenate([filters, kernel.numpy()[..., filters.shape[-1] :]], axis=-1))


def make_optimizer(model: keras.Sequential, recipe: RecipeParams, steps: int) -> keras.optimizers.Optimizer:
    """Make the recipe's optimizer; steps: of the whole training.

    At a side below 32 Adam moves the weight of a cell, which is the sum of its copies' weights, only as far as it moves
    each of them at side 32, so the dense layer learns more slowly there. Muon's rate is multiplied by their number.
    """
    rate = recipe.learning_rate
    if recipe.schedule == "triangle":
        rate = Triangle(rate, steps, recipe.warmup)
    if recipe.optimizer == "adam":
        return adam(rate)
    hidden = {f"conv{number}" for number in range(2, 1 + sum(map(len, net.WIDTHS)))}
    paths = {model.get_layer(name).kernel.path for name in hidden}
    offsets = [layer.offset.path for layer in model.layers if isinstance(layer, net.Normalization)]
    multiples = dict.fromkeys(offsets, recipe.bias_rate_multiple)
    # As if each copy of a cell had its own weights at the shared rate.
    multiples[model.get_layer("representation").kernel.path] = copies_of_a_cell(model)
    return Muon(rate, muon_paths=paths, multiples=multiples)


def make_step(
    model: keras.Sequential,
    optimizer: keras.optimizers.Optimizer,
    recipe: Recipe,
    *,
    frozen: int = 0,
    cells: keras.Variable | None = None,
) -> Callable:
    """Make the training step: (images (b, side, side, 3) float32, labels (b,) int32) -> metrics of the batch.

    frozen: number of first convolutions, with their batch norms, that are not trained; their statistics still follow
    the batches. cells: the kernel of `losses.cell_classifier`, needed if the recipe has a cell loss.
    """
    still = {f"conv{number}{part}" for number in range(1, frozen + 1) for part in ("", "_norm")}
    still_paths = {weight.path for layer in model.layers if layer.name in still for weight in layer.trainable_weights}
    copies = {"representation": copies_of_a_cell(model)}
    penalties = {
        layer.kernel.path: recipe.l2_penalty / copies.get(layer.name, 1.0)
        for layer in model.layers
        if hasattr(layer, "kernel")
    }
    if cells is not None:
        penalties[cells.path] = recipe.l2_penalty

    @tf.function
    def step(images, labels):
        with tf.GradientTape() as tape:
            maps = net.forward(model, images, training=True, until=net.LAST_MAPS)
            representations = net.forward(model, maps, training=True, after=net.LAST_MAPS, until="representation")
            logits = net.forward(model, representations, training=True, after="representation")
            classes = known_size(logits, 1)
            targets = tf.one_hot(labels, classes)
            entropy = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))
            smooth = targets * (1 - recipe.label_smoothing) + recipe.label_smoothing / classes
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(smooth, logits))
            if recipe.feature_norm_penalty:
                loss += recipe.feature_norm_penalty * feature_norm_spread(representations)
            if recipe.dense_classification_loss:
                loss += recipe.dense_classification_loss * dense_classification_entropy(
                    maps, tf.convert_to_tensor(cells), smooth
                )
        variables = [variable for variable in model.trainable_variables if variable.path not in still_paths]
        variables += [] if cells is None else [cells]
        gradients = tape.gradient(loss, variables)
        if recipe.l2_penalty:
            # The gradient of penalty * sum(w^2), as of Keras's L2 regularizer, without computing the sum itself.
            gradients = [
                gradient + 2 * penalties[variable.path] * variable if variable.path in penalties else gradient
                for gradient, variable in zip(gradients, variables, strict=True)
            ]
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        correct = tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), labels)
        return {"count": tf.size(labels), "loss": entropy, "accuracy": tf.reduce_mean(tf.cast(correct, tf.float32))}

    return step


def epoch_batches(
    train_set: LabelledImages, batch: int, side: int, augmentation: AugmentationParams, seed: int, epoch: int
) -> tf.data.Dataset:
    """Shuffle, augment and batch the images for one epoch: batches of (b, side, side, 3) float32 and (b,) int32.

    All batches are full: the images left over are not used in this epoch.
    """
    images, labels, _ = train_set
    order = generator(seed, "order", epoch).permutation(len(images))
    ranges = augmentation.model_dump(exclude={"fill", "interpolation", "flip"})
    flipped = augment.choose_flipped(augmentation.flip, seed, epoch, len(images))
    rng = generator(seed, "augmentation", epoch)
    transforms = augment.sample_transforms(rng, len(images), net.SIDE, flipped=flipped, **ranges)[order]
    pixels, targets = tf.constant(images), tf.constant(labels, tf.int32)

    def prepare(chosen, moves):
        moved = tf.cast(tf.gather(pixels, chosen), tf.float32)
        moved = augment.transform(moved, moves, augmentation.fill, augmentation.interpolation)
        moved = tf.ensure_shape(moved, (batch, net.SIDE, net.SIDE, 3))
        return net.standardize(net.shrink(moved, side)), tf.gather(targets, chosen)

    chosen = tf.data.Dataset.from_tensor_slices((order, transforms)).batch(batch, drop_remainder=True)
    return chosen.map(prepare, num_parallel_calls=1, deterministic=True).prefetch(2)
