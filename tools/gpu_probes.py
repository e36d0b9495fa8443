"""Try ideas for the ConvNets' recipe at full width on a GPU: same images, paired by seed, judged by validation images.

A training takes seconds there. The 6-class and the 10-class probes train on the first 4,000 of the official training
images of each class and are measured on the other 1,000; epochs are multiplied by 1.2, so that the steps are those of
the stored nets. A fold learns three of the seen classes and classifies the other three from one and five examples.
Test images and unseen classes are not read. Each training is a row of docs/gpu_probes.csv; those that are there are
not run again. Needs a GPU and PyTorch, which is not in the project's lock file: pip install torch.
"""

# pyright: reportMissingImports=false, reportOptionalMemberAccess=false

import argparse
import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from oneshot.convnet.whitening import whitening_filters
from oneshot.core import files
from oneshot.core.errors import UserError
from oneshot.core.images import LabelledImages
from oneshot.evaluation.transforms import SHRINKAGE

TABLE = Path("docs/gpu_probes.csv")
TRAINED, VALIDATED = 4_000, 1_000  # images of each class
SIDE_BY_SIDE = 5  # trainings at a time
DRAWS = 1_000  # episodes of a fold


@dataclass(frozen=True)
class Probe:
    """One training: arm: the idea's name; changes: of torch_net.Setting; held_out: classes of a fold's episodes."""

    arm: str
    changes: tuple[tuple[str, object], ...]
    seed: int
    classes: tuple[int, ...] = (0, 1, 2, 3, 4, 5)
    held_out: tuple[int, ...] = ()

    @property
    def key(self) -> tuple[str, str, int]:
        """Return what tells the probe's row from all others."""
        return "".join(map(str, self.classes)), self.arm, self.seed


def epochs(*each: float) -> dict:
    """Return the change of the epochs at sides 16, 24 and 32."""
    return {"epochs": tuple((side, round(count * 1.2, 3)) for side, count in zip((16, 24, 32), each, strict=True))}


# What each idea changes in the recipe that was the default before: 2, 3 and 1.5 epochs at sides 16, 24 and 32.
FORMER = {
    "the former default": {},
    "rates 0.07": {"rate": 0.07, "sgd_rate": 0.07},
    "rates 0.14": {"rate": 0.14, "sgd_rate": 0.14},
    "rates 0.2": {"rate": 0.2, "sgd_rate": 0.2},
    "SGD rate 0.05": {"sgd_rate": 0.05},
    "SGD rate 0.2": {"sgd_rate": 0.2},
    "warmup 0.05": {"warmup": 0.05},
    "warmup 0.3": {"warmup": 0.3},
    "penalty 0": {"penalty": 0.0, "dense_penalty": 0.0},
    "penalty 0.00001": {"penalty": 1e-5, "dense_penalty": 1e-5},
    "penalty 0.00006": {"penalty": 6e-5, "dense_penalty": 6e-5},
    "penalty 0.0001": {"penalty": 1e-4, "dense_penalty": 1e-4},
    "penalty 0.0005": {"penalty": 5e-4, "dense_penalty": 5e-4},
    "penalty of the dense layers 0.001": {"dense_penalty": 1e-3},
    "no label smoothing": {"smoothing": 0.0},
    "label smoothing 0.2": {"smoothing": 0.2},
    "Muon momentum 0.4": {"muon_momentum": 0.4},
    "Muon momentum 0.8": {"muon_momentum": 0.8},
    "momentum 0.8": {"momentum": 0.8},
    "momentum 0.95": {"momentum": 0.95},
    "offset rate 3": {"offset_rate": 3.0},
    "offset rate 20": {"offset_rate": 20.0},
    "mixed first filters": {"mixed_filters": True},
    "shifts of 2 pixels": {"shift": 2},
    "shifts of 3 pixels": {"shift": 3},
    "whitening 0.005": {"smallest": 5e-3},
    "dense rate 0.3": {"dense_rate": 0.3},
    "dense rate 3": {"dense_rate": 3.0},
    "epochs 2, 3, 0.75": epochs(2, 3, 0.75),
    "epochs 2, 2.5, 1": epochs(2, 2.5, 1),
    "epochs 3, 2, 1": epochs(3, 2, 1),
    "epochs 1, 3, 1": epochs(1, 3, 1),
    "epochs 3, 3, 0.5": epochs(3, 3, 0.5),
}
LIGHT = {"penalty": 3e-5, "dense_penalty": 3e-5}
ON_LIGHT = {
    "": {},
    "rates 0.07": FORMER["rates 0.07"],
    "rates 0.14": FORMER["rates 0.14"],
    "SGD rate 0.2": FORMER["SGD rate 0.2"],
    "offset rate 20": FORMER["offset rate 20"],
    "offset rate 40": {"offset_rate": 40.0},
    "momentum 0.95": FORMER["momentum 0.95"],
    "Muon momentum 0.4": FORMER["Muon momentum 0.4"],
    "no label smoothing": FORMER["no label smoothing"],
    "label smoothing 0.05": {"smoothing": 0.05},
    "warmup 0.3": FORMER["warmup 0.3"],
    "penalty of the dense layers 0.00025": {"dense_penalty": 2.5e-4},
    "penalty of the dense layers 0.001": {"dense_penalty": 1e-3},
    "offset rate 20, SGD rate 0.2, Muon momentum 0.4": {"offset_rate": 20.0, "sgd_rate": 0.2, "muon_momentum": 0.4},
    "two convolutions frozen from side 24": {"frozen": (1, 2, 2)},
    "two convolutions frozen from side 24, three from 32": {"frozen": (1, 2, 3)},
    "dropout 0.3": {"dropout": 0.3},
    "cutout 8": {"cutout": 8},
    "zoom 0.15": {"zoom": 0.15},
    "colour 0.2": {"colour": 0.2},
    "supervised contrast 0.1": {"contrast": 0.1},
    "mixup 0.3": {"mixup": 0.3},
}
FAST = LIGHT | {"offset_rate": 20.0, "momentum": 0.95}
ON_FAST = {"": {}, "rates 0.07": FORMER["rates 0.07"]} | {
    f"epochs {', '.join(f'{count:g}' for count in each)}": epochs(*each)
    for each in [(2, 2.5, 1), (3, 2, 1), (1, 3, 1), (3, 3, 0.5), (2, 2, 1), (2, 2, 0.5), (2, 1.5, 1)]
}
CHOSEN = {"penalty": 6e-5, "dense_penalty": 6e-5, "offset_rate": 20.0}
ON_CHOSEN = {
    "": {},
    "rates 0.07": FORMER["rates 0.07"],
    "penalty 0.0001": FORMER["penalty 0.0001"],
    "epochs 4, 8, 4, penalty 0.0001": epochs(4, 8, 4) | FORMER["penalty 0.0001"],
} | {
    f"epochs {', '.join(f'{count:g}' for count in each)}": epochs(*each)
    for each in [
        *[(2, 1.5, 1), (2, 2, 0.5), (3, 1.5, 0.5), (3, 1, 1), (4, 2, 0.5), (2, 2.5, 0.5), (1, 2, 1), (1, 2.5, 0.5)],
        *[(2, 2, 1), (4, 8, 4), (6, 6, 4)],
    ]
}
TEN = {
    "the former default": epochs(1, 2, 1),
    "chosen: epochs 2, 4, 2, penalty 0.0001": CHOSEN | epochs(2, 4, 2) | FORMER["penalty 0.0001"],
    "chosen: epochs 1, 1.5, 0.5, penalty 0.00003": CHOSEN | epochs(1, 1.5, 0.5) | LIGHT,
    "chosen: epochs 1, 1.5, 0.5, rates 0.07": CHOSEN | epochs(1, 1.5, 0.5) | FORMER["rates 0.07"],
    "chosen: epochs 1, 1.5, 0.5, rates 0.14": CHOSEN | epochs(1, 1.5, 0.5) | FORMER["rates 0.14"],
} | {
    f"chosen: epochs {', '.join(f'{count:g}' for count in each)}": CHOSEN | epochs(*each)
    for each in [
        *[(1, 2, 1), (1, 1.5, 0.75), (1, 1.5, 0.5), (1, 1, 0.75), (1, 1, 0.5), (2, 1, 0.5), (1, 1, 1), (1.5, 1, 0.75)],
        *[(0.5, 1.5, 0.5), (2, 4, 2), (4, 4, 2)],
    ]
}
ON_FOLDS = {
    "the former default": {},
    "no label smoothing": FORMER["no label smoothing"],
    "penalty 0": FORMER["penalty 0"],
    "light": LIGHT,
    "light: no label smoothing": LIGHT | FORMER["no label smoothing"],
    "light: dropout 0.3": LIGHT | {"dropout": 0.3},
    "light: supervised contrast 0.1": LIGHT | {"contrast": 0.1},
    "light: mixup 0.3": LIGHT | {"mixup": 0.3},
    "light: zoom 0.15": LIGHT | {"zoom": 0.15},
    "light: epochs 4, 6, 3": LIGHT | epochs(4, 6, 3),
    "light: epochs 2, 1.5, 1": LIGHT | epochs(2, 1.5, 1),
}


def named(prefix: str, basis: dict, arms: dict[str, dict]) -> dict[str, dict]:
    """Put the name of a basis before those of the arms on it, and its changes under theirs."""
    return {f"{prefix}: {name}" if name else prefix: basis | changes for name, changes in arms.items()}


def folds() -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return the trained and the held-out classes of six folds: one vehicle and two animals against the rest."""
    pairs = list(itertools.combinations((2, 3, 4, 5), 2))
    trained = [tuple(sorted((place % 2, *pair))) for place, pair in enumerate(pairs)]
    return [(fold, tuple(label for label in range(6) if label not in fold)) for fold in trained]


def probes() -> list[Probe]:
    """Return all probes, with two seeds of each of the six-class and ten-class ones."""
    six = FORMER | named("light", LIGHT, ON_LIGHT) | named("fast", FAST, ON_FAST) | named("chosen", CHOSEN, ON_CHOSEN)
    chosen = [
        Probe(arm, tuple(changes.items()), seed, classes)
        for seed in (1, 2)
        for arms, classes in ((six, tuple(range(6))), (TEN, tuple(range(10))))
        for arm, changes in arms.items()
    ]
    return chosen + [
        Probe(arm, tuple(changes.items()), 1, *fold) for arm, changes in ON_FOLDS.items() for fold in folds()
    ]


class Images:
    """The official training images of CIFAR-10, by class."""

    def __init__(self, known: LabelledImages):
        self.images, self.labels = known.images, known.labels
        self.of_class = [np.flatnonzero(known.labels == label) for label in range(10)]

    def trained(self, classes: tuple[int, ...], count: int = TRAINED) -> np.ndarray:
        """Return the places of the first images of each class."""
        return np.concatenate([self.of_class[label][:count] for label in classes])

    def validated(self, classes: tuple[int, ...]) -> np.ndarray:
        """Return the places of the last images of each class, class by class."""
        return np.concatenate([self.of_class[label][-VALIDATED:] for label in classes])

    def filters(self, classes: tuple[int, ...], smallest: float) -> np.ndarray:
        """Compute whitening filters of 5,000 training images, see `oneshot.convnet.whitening`: (54, 3, 3, 3)."""
        from oneshot.convnet import net, whitening

        whitening.SMALLEST = smallest  # this process trains no net of the pipeline
        places = np.random.default_rng(0).permutation(self.trained(classes))[:5_000]
        return whitening_filters(net.standardize(self.images[places]).numpy()).transpose(3, 2, 0, 1)


def run(probe: Probe, trainer, images: Images) -> Iterator[dict | None]:
    """Train and measure one net by a `torch_net.Trainer`; yields None while it trains, and at last the row's values."""
    from torch.nn.functional import cross_entropy

    from tools.torch_net import Setting

    setting = replace(Setting(), **dict(probe.changes))
    places = images.trained(probe.classes)
    labels = np.searchsorted(probe.classes, images.labels[places])
    trainer.prepare(setting, len(probe.classes))
    filters = images.filters(probe.classes, setting.smallest)
    yield from trainer.train(setting, places, labels, filters, probe.seed)
    views = [trainer.represent(images.validated(probe.classes), mirrored=mirrored) for mirrored in (False, True)]
    logits = [trainer.logits(linear).cpu() for linear, _ in views]
    true = _classes(len(probe.classes), VALIDATED)
    row = {
        "loss": float(cross_entropy(logits[0], true)),
        "accuracy": float((logits[0].argmax(1) == true).float().mean()),
        "mirror_averaged": float(((logits[0] + logits[1]).argmax(1) == true).float().mean()),
    }
    yield row | (one_shot(probe, trainer, images) if probe.held_out else {})


def _classes(count: int, each: int):
    import torch

    return torch.arange(count).repeat_interleave(each)


def one_shot(probe: Probe, trainer, images: Images) -> dict[str, float]:
    """Classify the held-out classes in random episodes, by several transforms of `oneshot.evaluation.transforms`."""
    import torch
    from torch.nn.functional import normalize

    known = images.trained(probe.classes, 1_600)
    labels = _classes(len(probe.classes), 1_600)
    new = images.validated(probe.held_out)
    views = [[trainer.represent(places, mirrored=mirrored) for mirrored in (False, True)] for places in (new, known)]
    (new_linear, new_pooled), (known_linear, known_pooled) = (
        [torch.stack(layer).cpu() for layer in zip(*both, strict=True)] for both in views
    )

    def centred(new, known):
        return normalize(new - known.mean(0), dim=1)

    def whitened(new, known):
        middle = known.mean(0)
        around = known.double()
        for label in range(len(probe.classes)):
            around[labels == label] -= around[labels == label].mean(0)
        covariance = around.T @ around / len(around)
        size = len(covariance)
        spread = torch.trace(covariance) / size * torch.eye(size, dtype=torch.float64)
        matrix = torch.linalg.cholesky(torch.linalg.inv((1 - SHRINKAGE) * covariance + SHRINKAGE * spread))
        return normalize((new - middle) @ matrix.float(), dim=1)

    def both_whitened(view):
        parts = (new_linear, known_linear), (new_pooled, known_pooled)
        return torch.cat([whitened(view(new), view(known)) for new, known in parts], dim=1)

    new_units, known_units = new_linear.relu(), known_linear.relu()
    features = {
        "raw": new_units[0],
        "centred": centred(new_units[0], known_units[0]),
        "linear_centred": centred(new_linear[0], known_linear[0]),
        "pooled_centred": centred(new_pooled[0], known_pooled[0]),
        "mirror_centred": centred(new_units.mean(0), known_units.mean(0)),
        "whitened": whitened(new_units[0], known_units[0]),
        "both_whitened": both_whitened(lambda layer: layer[0]),
        "mirror_both_whitened": both_whitened(lambda layer: layer.mean(0)),
    }
    way = len(probe.held_out)
    generator = torch.Generator().manual_seed(7)
    right = {}
    for shots in (1, 5):
        support = torch.rand(DRAWS, way, VALIDATED, generator=generator).topk(shots, 2).indices
        support += torch.arange(way)[:, None] * VALIDATED
        for name, values in features.items():
            right[f"{name}_{shots}"] = _accuracy(values, support)
    return right


def _accuracy(values, support) -> float:
    """Classify all images but the support by the nearest prototype: (n, d), (draws, way, shots) -> accuracy."""
    import torch

    draws, way, shots = support.shape
    true = _classes(way, len(values) // way)
    correct = 0
    for part in support.split(100):
        prototypes = values[part].mean(2)
        distances = (prototypes**2).sum(2)[..., None] - 2 * torch.einsum("awd,qd->awq", prototypes, values)
        hit = distances.argmin(1) == true
        correct += int(hit.sum()) - int(hit.gather(1, part.reshape(len(part), -1)).sum())
    return correct / (draws * (len(values) - way * shots))


def main() -> None:
    """Run the probes that the table lacks."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    from oneshot.datasets import cifar10

    try:
        images = Images(cifar10.read("data/raw/cifar10").take(np.arange(cifar10.TRAINING)))
        run_missing(images)
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted: finished trainings are kept, the next call goes on")


def run_missing(images: Images) -> None:
    """Run the probes that the table lacks, several at a time, and write each row as it comes."""
    torch = _torch()
    from tools.torch_net import DEVICE, Trainer

    rows = pd.read_csv(TABLE, dtype={"classes": str}).to_dict("records") if TABLE.exists() else []
    present = {(row["classes"], row["arm"], row["seed"]) for row in rows}
    missing = [probe for probe in probes() if probe.key not in present]
    stored = torch.tensor(images.images, device=DEVICE)
    trainers = [Trainer(stored) for _ in range(SIDE_BY_SIDE)]
    running: dict[int, tuple[Probe, Iterator[dict | None]]] = {}
    with tqdm(total=len(missing), unit="training") as bar:
        while missing or running:
            for place, trainer in enumerate(trainers):
                if place not in running:
                    if not missing:
                        continue
                    probe = missing.pop(0)
                    running[place] = probe, run(probe, trainer, images)
                probe, training = running[place]
                values = next(training)
                if values is not None:
                    del running[place]
                    rows.append(dict(zip(("classes", "arm", "seed"), probe.key, strict=True)) | values)
                    files.write_csv(TABLE, pd.DataFrame(rows).round(5))
                    bar.update()


def _torch():
    """Import PyTorch; raise UserError if there is none, or no GPU."""
    try:
        import torch
    except ImportError:
        raise UserError("the probes on a GPU need PyTorch: pip install torch") from None
    if not torch.cuda.is_available():
        raise UserError("PyTorch finds no GPU here, which these probes need")
    return torch


if __name__ == "__main__":
    main()
