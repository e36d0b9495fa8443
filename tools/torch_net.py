"""The ConvNet's training in PyTorch, for probes on a GPU: layers and arithmetic of `oneshot.convnet`.

On a GPU each step is one CUDA graph, maps and their products are bfloat16, and several nets train at a time, each in
its own stream. A test compares a step in float32 on a CPU with the pipeline's.
"""

# pyright: reportMissingImports=false, reportOptionalMemberAccess=false

import contextlib
import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from oneshot.convnet.muon import A, B, C
from oneshot.convnet.net import DEVIATION, MAP, MEAN, SIDE, UNITS, WIDTHS, Normalization, nearest_cells

CUDA = torch.cuda.is_available()
DEVICE = "cuda" if CUDA else "cpu"
HALF = torch.bfloat16 if CUDA else torch.float32
FARTHEST = 4  # pixels that an image is shifted by at most
POOLED = (2, 5)  # convolutions that a pooling follows
if CUDA:
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True


@dataclass(frozen=True)
class Setting:
    """What a probe trains. The defaults are the recipe that was the default until the probes."""

    # Numbers of each step, which are read from the GPU's memory: one graph serves all their values.
    rate: float = 0.1  # peak rate of Muon
    sgd_rate: float = 0.1  # peak rate of all else
    warmup: float = 0.15
    offset_rate: float = 8.0
    penalty: float = 0.00025  # of the convolutions
    dense_penalty: float = 0.00025  # of the dense layers
    dense_rate: float = 1.0  # rate of the first dense layer, as a multiple of sgd_rate
    smoothing: float = 0.1
    muon_momentum: float = 0.6
    momentum: float = 0.9
    # The same, but a graph is without what is 0.
    zoom: float = 0.0  # factors from 1 - zoom to 1 + zoom, of each side
    colour: float = 0.0  # contrast from 1 - colour to 1 + colour, each channel shifted by up to colour
    contrast: float = 0.0  # weight of a supervised contrastive loss on the units
    norm_penalty: float = 0.0  # see oneshot.convnet.losses.norm_spread
    cell_loss: float = 0.0  # see oneshot.convnet.losses.cell_entropy
    # Part of the graph.
    frozen: tuple[int, ...] = (1, 1, 2)  # number of first convolutions that each stretch does not train
    batch: int = 128
    dropout: float = 0.0  # after the dense layer
    cutout: int = 0  # side of a grey square in each image, pixels
    mixup: float = 0.0  # largest share of another image
    # Of the start and the images.
    epochs: tuple[tuple[int, float], ...] = ((16, 2.4), (24, 3.6), (32, 1.8))
    shift: int = FARTHEST  # pixels, at most that many
    mixed_filters: bool = False  # the first filters that are no whitening directions are mixtures of them
    whitening_epsilon: float = 5e-4  # see oneshot.convnet.whitening.SMALLEST

    @property
    def structure(self) -> tuple:
        """Return what decides the graphs of a training."""
        sides = tuple(side for side, _ in self.epochs)
        parts = self.zoom > 0, self.colour > 0, self.contrast > 0, self.norm_penalty > 0, self.cell_loss > 0
        return sides, self.frozen, self.batch, self.dropout, self.cutout, self.mixup, *parts


SCALARS = (
    "rate", "sgd_rate", "warmup", "offset_rate", "penalty", "dense_penalty", "dense_rate", "smoothing",
    "muon_momentum", "momentum", "zoom", "colour", "contrast", "norm_penalty", "cell_loss",
)  # fmt: skip


# Kept on the device, since nothing can be copied there while a graph is captured.
MEANS, DEVIATIONS = (torch.tensor(values, device=DEVICE) for values in (MEAN, DEVIATION))


def standardize(images: torch.Tensor) -> torch.Tensor:
    """Turn pixels (n, H, W, 3) uint8 into the net's inputs (n, 3, H, W) float32."""
    return ((images.float() - MEANS) / DEVIATIONS).permute(0, 3, 1, 2)


def reflected(images: torch.Tensor) -> torch.Tensor:
    """Extend images (n, 32, 32, 3) on each side by FARTHEST pixels, mirrored at the border."""
    images = torch.cat([images[:, :FARTHEST].flip(1), images, images[:, -FARTHEST:].flip(1)], 1)
    return torch.cat([images[:, :, :FARTHEST].flip(2), images, images[:, :, -FARTHEST:].flip(2)], 2).contiguous()


@functools.cache
def area_means(side: int) -> torch.Tensor:
    """Return the share of each of 32 pixels in each of `side` larger ones: (side, 32)."""
    edges, pixels = np.arange(side + 1) * SIDE / side, np.arange(SIDE)
    shares = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return torch.tensor(np.maximum(shares, 0) * side / SIDE, dtype=torch.float32, device=DEVICE)


def shrink(images: torch.Tensor, side: int) -> torch.Tensor:
    """Shrink images by area means: (n, 3, 32, 32) -> (n, 3, side, side)."""
    if side == SIDE:
        return images
    return torch.einsum("ih,nchw,jw->ncij", area_means(side), images, area_means(side))


def resize(kernel: torch.Tensor, old: int, new: int) -> torch.Tensor:
    """Turn a dense kernel of old x old cells into one of new x new, see `oneshot.convnet.sides`."""
    channels = len(kernel) // old**2
    kernel = kernel.reshape(old, old, channels, -1)
    if old < MAP:
        places = nearest_cells(old)
        counts = torch.tensor(np.bincount(places)[places], dtype=kernel.dtype, device=kernel.device)
        places = torch.tensor(places, device=kernel.device)
        kernel = kernel[places][:, places] / (counts[:, None] * counts)[..., None, None]
    if new < MAP:
        places = torch.tensor(nearest_cells(new), device=kernel.device)
        for axis in (0, 1):
            shape = [new if place <= axis else MAP for place in range(2)]
            kernel = torch.zeros(*shape, *kernel.shape[2:], device=kernel.device).index_add_(axis, places, kernel)
    return kernel.reshape(new * new * channels, -1)


def orthogonalize(matrix: torch.Tensor) -> torch.Tensor:
    """Bring the singular values of a wide matrix near 1, see `oneshot.convnet.muon`."""
    matrix = matrix / (matrix.norm() + 1e-7)
    for _ in range(3):
        gram = matrix @ matrix.T
        matrix = A * matrix + (B * gram + C * (gram @ gram)) @ matrix
    return matrix


class Trainer:
    """One net that is trained again and again, in a stream of its own.

    images: (n, 32, 32, 3) uint8 on the device; larger: the same, see `reflected`; widths, units: see
    `oneshot.convnet.net.build`; steps: of the longest training.
    """

    def __init__(
        self, images: torch.Tensor, larger: torch.Tensor, widths=WIDTHS, units: int = UNITS, steps: int = 6000
    ):
        self.images, self.larger = images, larger
        self.widths, self.units = [width for block in widths for width in block], units
        self.stream = torch.cuda.Stream() if CUDA else None
        self.structure, self.classes, self.graphs = (), 0, {}
        # Of each image of each step: its place, label, shifts, and whether it is mirrored.
        self.plan = [torch.zeros(steps * 128, dtype=torch.int64, device=DEVICE) for _ in range(5)]
        self.step_number = torch.zeros((), dtype=torch.int64, device=DEVICE)
        self.scalars = {name: torch.ones((), device=DEVICE) for name in (*SCALARS, "steps")}

    def _allocate(self, classes: int) -> None:
        def zeros(*shape):
            return torch.zeros(*shape, device=DEVICE, requires_grad=True)

        self.classes = classes
        channels = [3, *self.widths[:-1]]
        self.kernels = [
            torch.zeros(width, depth, 3, 3, device=DEVICE).to(memory_format=torch.channels_last).requires_grad_()
            for width, depth in zip(self.widths, channels, strict=True)
        ]
        sizes = [*self.widths, self.units]
        self.offsets = [zeros(size) for size in sizes]
        self.ones = [torch.ones(size, device=DEVICE) for size in sizes]
        self.means = [torch.zeros(size, device=DEVICE) for size in sizes]
        self.variances = [torch.ones(size, device=DEVICE) for size in sizes]
        self.dense = {side: zeros((side // 4) ** 2 * self.widths[-1], self.units) for side in (16, 24, 32)}
        self.last, self.bias = zeros(self.units, classes), zeros(classes)
        self.cells = zeros(self.widths[-1], classes)
        trained = [*self.kernels, *self.offsets, *self.dense.values(), self.last, self.bias, self.cells]
        self.buffers = {id(parameter): torch.zeros_like(parameter) for parameter in trained}

    def prepare(self, setting: Setting, classes: int) -> None:
        """Allocate the net and capture the graphs of a setting, if those at hand are of another one."""
        if (setting.structure, classes) == (self.structure, self.classes):
            return
        self.graphs.clear()
        if classes != self.classes:
            self._allocate(classes)
        self.structure = setting.structure
        if not CUDA:
            return
        torch.cuda.synchronize()
        pool = None
        for part in self.plan:
            part.zero_()
        for (side, _), frozen in zip(setting.epochs, setting.frozen, strict=True):
            if (side, frozen) in self.graphs:
                continue
            self.step_number.zero_()
            for _ in range(2):  # cuDNN chooses its algorithms before the capture
                self._step(setting, side, frozen)
            torch.cuda.synchronize()
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, stream=self.stream, pool=pool):
                self._step(setting, side, frozen)
            pool = graph.pool()
            self.graphs[side, frozen] = graph
        torch.cuda.synchronize()

    def train(
        self, setting: Setting, places: np.ndarray, labels: np.ndarray, filters: np.ndarray, seed: int
    ) -> Iterator[None]:
        """Train on the images at `places`; yields now and then, so that several nets can train at once.

        filters: (54, 3, 3, 3) whitening filters, see `whitening`.
        """
        with self._in_stream():
            steps = self._draw(setting, places, labels, seed)
            self._start(setting, torch.tensor(filters, device=DEVICE), sum(steps), seed)
        for (side, _), frozen, count in zip(setting.epochs, setting.frozen, steps, strict=True):
            with self._in_stream():
                self._move(side)
            for number in range(count):
                with self._in_stream():
                    if CUDA:
                        self.graphs[side, frozen].replay()
                    else:
                        self._step(setting, side, frozen)
                if number % 4 == 3:
                    yield
        with self._in_stream():
            self._move(SIDE)

    def _in_stream(self):
        return torch.cuda.stream(self.stream) if CUDA else contextlib.nullcontext()

    def _wait(self) -> None:
        if self.stream:
            self.stream.synchronize()

    def _draw(self, setting: Setting, places: np.ndarray, labels: np.ndarray, seed: int) -> list[int]:
        """Draw order and moves of the images for the whole training; return the steps of each stretch."""
        rng = np.random.default_rng(seed)
        first_mirrored = rng.integers(2, size=len(places))
        parts, steps, epoch = [], [], 0
        for _, epochs in setting.epochs:
            steps.append(0)
            for done in range(math.ceil(epochs)):
                count = max(1, int(min(1.0, epochs - done) * len(places)) // setting.batch)
                order = rng.permutation(len(places))[: count * setting.batch]
                moves = rng.uniform(-setting.shift, setting.shift, (2, len(order)))
                moves = np.rint(moves).astype(int) + FARTHEST
                mirrored = (first_mirrored[order] + epoch) % 2
                parts.append((places[order], labels[order], *moves, mirrored))
                steps[-1] += count
                epoch += 1
        for target, column in zip(self.plan, zip(*parts, strict=True), strict=True):
            values = np.concatenate(column)
            target[: len(values)].copy_(torch.as_tensor(values))
        return steps

    @torch.no_grad()
    def _start(self, setting: Setting, filters: torch.Tensor, steps: int, seed: int) -> None:
        generator = torch.Generator(device=DEVICE).manual_seed(seed)

        def he_normal(parameter, inputs):
            torch.nn.init.trunc_normal_(parameter, 0, 1, -2, 2, generator=generator)
            parameter.mul_(math.sqrt(2 / inputs) / 0.87962566)

        for kernel in self.kernels:
            he_normal(kernel, 9 * kernel.shape[1])
        first = self.kernels[0]
        known = min(len(filters), len(first))
        first[:known] = filters[:known]
        if setting.mixed_filters:
            directions = filters[:27].reshape(27, 27)
            shares = torch.randn(len(first) - known, 27, device=DEVICE, generator=generator)
            first[known:] = (shares / shares.norm(dim=1, keepdim=True) @ directions).reshape(-1, 3, 3, 3)
        for values in (*self.offsets, *self.means, self.bias, *self.buffers.values(), self.step_number):
            values.zero_()
        for values in self.variances:
            values.fill_(1)
        he_normal(self.dense[SIDE], len(self.dense[SIDE]))
        for kernel in (self.last, self.cells):
            limit = math.sqrt(6 / sum(kernel.shape))
            kernel.uniform_(-limit, limit, generator=generator)
        self.side = SIDE
        for name, value in self.scalars.items():
            value.fill_(float(steps if name == "steps" else getattr(setting, name)))

    @torch.no_grad()
    def _move(self, side: int) -> None:
        """Move the dense layer, and its momentum, to images of another side."""
        old, new = self.dense[self.side], self.dense[side]
        if old is not new:
            for source, target in ((old, new), (self.buffers[id(old)], self.buffers[id(new)])):
                target.copy_(resize(source, self.side // 4, side // 4))
        self.side = side

    def _normalised(self, values: torch.Tensor, place: int, training: bool) -> torch.Tensor:
        statistics = self.means[place], self.variances[place], self.ones[place], self.offsets[place]
        momentum = 1 - Normalization.MOMENTUM
        return F.relu(F.batch_norm(values, *statistics, training, momentum, Normalization.EPSILON))

    def _maps(self, images: torch.Tensor, training: bool, frozen: int = 0) -> torch.Tensor:
        maps = images.to(HALF).contiguous(memory_format=torch.channels_last)
        for number, kernel in enumerate(self.kernels, 1):
            with torch.set_grad_enabled(training and number > frozen):
                maps = F.conv2d(maps, kernel.to(HALF), padding=1)
                if number in POOLED:
                    maps = F.max_pool2d(maps, 2)
                maps = self._normalised(maps, number - 1, training)
        return maps

    def _dense(self, maps: torch.Tensor, side: int) -> torch.Tensor:
        return (maps.permute(0, 2, 3, 1).reshape(len(maps), -1) @ self.dense[side].to(HALF)).float()

    def _batch(self, setting: Setting, side: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Cut, mirror and change the images of the present step."""
        count, span = setting.batch, torch.arange(SIDE, device=DEVICE)
        chosen = self.step_number * count + torch.arange(count, device=DEVICE)
        place, label, right, down, mirrored = (part[chosen] for part in self.plan)
        rows, columns = down[:, None] + span, right[:, None] + span
        columns = torch.where(mirrored[:, None] > 0, columns.flip(1), columns)
        images = standardize(self.larger[place[:, None, None], rows[:, :, None], columns[:, None, :]])

        def uniform(*shape):
            return torch.rand(shape, device=DEVICE) * 2 - 1

        if setting.zoom:
            turns = torch.zeros(count, 2, 3, device=DEVICE)
            turns[:, 0, 0], turns[:, 1, 1] = (1 + uniform(count, 2) * self.scalars["zoom"]).unbind(1)
            grid = F.affine_grid(turns, [count, 3, SIDE, SIDE], align_corners=False)
            images = F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
        if setting.colour:
            strength = self.scalars["colour"]
            images = images * (1 + uniform(count, 1, 1, 1) * strength) + uniform(count, 3, 1, 1) * strength
        if setting.cutout:
            half = setting.cutout // 2
            corner = torch.randint(-half, SIDE - half, (2, count, 1), device=DEVICE)
            inside = (span >= corner) & (span < corner + setting.cutout)
            images = images * ~(inside[0][:, None, :, None] & inside[1][:, None, None, :])
        return shrink(images, side), label

    def _step(self, setting: Setting, side: int, frozen: int) -> None:
        share = 0.0
        with torch.no_grad():
            images, labels = self._batch(setting, side)
            if setting.mixup:
                share = torch.rand((), device=DEVICE) * setting.mixup
                images = images * (1 - share) + images.roll(1, 0) * share
        dense = self.dense[side]
        trained = [*self.kernels[frozen:], *self.offsets[frozen:], dense, self.last, self.bias]
        maps = self._maps(images, True, frozen)
        units = self._normalised(self._dense(maps, side), len(self.widths), True)
        logits = F.dropout(units, setting.dropout) @ self.last + self.bias

        def entropy(logits, labels):
            logs, smoothing = F.log_softmax(logits, -1), self.scalars["smoothing"]
            return -((1 - smoothing) * logs.gather(-1, labels[..., None])[..., 0] + smoothing * logs.mean(-1)).mean()

        loss = entropy(logits, labels)
        if setting.mixup:
            loss = (1 - share) * loss + share * entropy(logits, labels.roll(1))
        if setting.contrast:
            loss = loss + self.scalars["contrast"] * supervised_contrast(units, labels)
        if setting.norm_penalty:
            loss = loss + self.scalars["norm_penalty"] * norm_spread(units)
        if setting.cell_loss:
            trained.append(self.cells)
            each = maps.permute(0, 2, 3, 1).float() @ self.cells
            loss = loss + self.scalars["cell_loss"] * entropy(each, labels[:, None, None].expand(each.shape[:3]))
        gradients = torch.autograd.grad(loss, trained)
        with torch.no_grad():
            self._update(trained, gradients, dense, side)
            self.step_number.add_(1)

    def _update(self, trained: list[torch.Tensor], gradients, dense: torch.Tensor, side: int) -> None:
        known = self.scalars
        done = (self.step_number + 1) / (known["steps"] + 1)
        height = torch.minimum(done / known["warmup"], (1 - done) / (1 - known["warmup"]))
        copies = (SIDE / side) ** 2
        for parameter, gradient in zip(trained, gradients, strict=True):
            buffer, multiple = self.buffers[id(parameter)], 1.0
            if parameter.dim() == 4:
                gradient = gradient + 2 * known["penalty"] * parameter
                buffer.mul_(known["muon_momentum"]).add_(gradient)
                direction = gradient + known["muon_momentum"] * buffer
                update = orthogonalize(direction.reshape(len(parameter), -1)).reshape(parameter.shape)
                scale = math.sqrt(len(parameter)) / parameter.norm()
                parameter.copy_(parameter * scale - known["rate"] * height * update)
                continue
            if parameter is dense:
                gradient = gradient + 2 * known["dense_penalty"] / copies * parameter
                multiple = copies * known["dense_rate"]
            elif parameter is self.last or parameter is self.cells:
                gradient = gradient + 2 * known["dense_penalty"] * parameter
            elif parameter is not self.bias:
                multiple = known["offset_rate"]
            rate = known["sgd_rate"] * height * multiple
            buffer.mul_(known["momentum"]).sub_(rate * gradient)
            parameter.add_(known["momentum"] * buffer - rate * gradient)

    @torch.no_grad()
    def represent(self, places: np.ndarray, *, mirrored: bool) -> tuple[torch.Tensor, torch.Tensor]:
        """Compute the units before ReLU and the means of the last maps of images: (n, units), (n, channels)."""
        linear, pooled = [], []
        with self._in_stream():
            for part in torch.as_tensor(places, device=DEVICE).split(1000):
                images = standardize(self.images[part])
                maps = self._maps(images.flip(3) if mirrored else images, False)
                scale = torch.rsqrt(self.variances[-1] + Normalization.EPSILON)
                linear.append((self._dense(maps, SIDE) - self.means[-1]) * scale + self.offsets[-1])
                pooled.append(maps.float().mean((2, 3)))
            results = torch.cat(linear), torch.cat(pooled)
        self._wait()
        return results

    @torch.no_grad()
    def logits(self, linear: torch.Tensor) -> torch.Tensor:
        """Compute the logits from the units before ReLU: (n, units) -> (n, classes)."""
        with self._in_stream():
            results = F.relu(linear) @ self.last + self.bias
        self._wait()
        return results


def norm_spread(units: torch.Tensor) -> torch.Tensor:
    """Compute `oneshot.convnet.losses.norm_spread`: (n, d) -> scalar."""
    distances = torch.sqrt(((units - units.mean(0).detach()) ** 2).sum(1) + 1e-6)
    return ((distances / distances.mean().detach() - 1) ** 2).mean()


def supervised_contrast(units: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Compute the loss L_out of Khosla et al. (2020), "Supervised contrastive learning", at temperature 0.1.

    units: (n, d) float; labels: (n,) integers. Each image is seen once, not in two augmented views.
    """
    units = F.normalize(units, dim=1)
    itself = torch.eye(len(units), device=units.device, dtype=torch.bool)
    logs = F.log_softmax((units @ units.T / 0.1).masked_fill(itself, -1e9), 1)
    same = (labels[:, None] == labels) & ~itself
    return -((logs * same).sum(1) / same.sum(1).clamp(min=1)).mean()
