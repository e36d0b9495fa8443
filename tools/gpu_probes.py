"""Try ideas for the ConvNets' recipe at full width on a GPU, in PyTorch: same images, judged by validation images.

A training takes seconds there. The 6-class and the 10-class probes train on the first 4,000 of the official training
images of each class and are measured on the other 1,000; epochs are multiplied by 1.2, so that there are nearly as many
steps as for the stored nets. A fold learns three of the seen classes and classifies the other three from one and five
examples. Test images are not used, and the classes 6 to 9 only by the 10-class probes.

Each training is a row of docs/gpu_probes.csv; those that are there are not run again. They were made by an earlier
script with the same trainings and other draws of the folds' episodes; this one was run on a CPU only. What a step draws
(dropout, cutout, zoom, colour, mixup) comes from the GPU's own generator and differs with each run.

Needs a GPU, and PyTorch, which is not in the project's lock file: .venv/bin/pip install torch.
"""

# pyright: reportMissingImports=false

import argparse
import functools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from oneshot.convnet import whitening
from oneshot.core import files
from oneshot.core.errors import UserError
from oneshot.core.images import LabelledImages
from oneshot.datasets import cifar10
from oneshot.evaluation.confusion import accuracy
from oneshot.evaluation.episodes import draw_episodes, evaluate
from oneshot.evaluation.transforms import represent, stacked
from tools.folds import all_folds

TABLE = Path("docs/gpu_probes.csv")
TRAINED, VALIDATED = 4_000, 1_000  # images of each class
KNOWN = 1_600  # images of each trained class for the transforms of a fold
AT_A_TIME = 5
DRAWS = 1_000  # episodes of a fold
METHODS = ("raw", "centred", "pooled_centred", "mirror_centred", "whitened", "both_whitened", "mirror_both_whitened")


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


# What each idea changes in the second default of docs/recipe.md, which is torch_net.Setting.
SECOND = {
    "second default": {},
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
    "whitening 0.005": {"whitening_epsilon": 5e-3},
    "dense rate 0.3": {"dense_rate": 0.3},
    "dense rate 3": {"dense_rate": 3.0},
    "epochs 2, 3, 0.75": epochs(2, 3, 0.75),
    "epochs 2, 2.5, 1": epochs(2, 2.5, 1),
    "epochs 3, 2, 1": epochs(3, 2, 1),
    "epochs 1, 3, 1": epochs(1, 3, 1),
    "epochs 3, 3, 0.5": epochs(3, 3, 0.5),
}


def epochs_of(*each: tuple[float, float, float]) -> dict[str, dict]:
    """Name and list changes of the epochs."""
    return {f"epochs {', '.join(f'{count:g}' for count in counts)}": epochs(*counts) for counts in each}


def named(basis: dict, arms: dict[str, dict]) -> dict[str, dict]:
    """Put a basis under arms: its values before their names, and its changes under theirs."""
    words = {"penalty": "penalty", "offset_rate": "offset rate", "momentum": "momentum"}
    prefix = ", ".join(f"{word} {basis[key]:f}".rstrip("0").rstrip(".") for key, word in words.items() if key in basis)
    return {f"{prefix}; {name}" if name else prefix: basis | changes for name, changes in arms.items()}


LIGHT = {"penalty": 3e-5, "dense_penalty": 3e-5}
ON_LIGHT = {
    "": {},
    "rates 0.07": SECOND["rates 0.07"],
    "rates 0.14": SECOND["rates 0.14"],
    "SGD rate 0.2": SECOND["SGD rate 0.2"],
    "offset rate 20": SECOND["offset rate 20"],
    "offset rate 40": {"offset_rate": 40.0},
    "momentum 0.95": SECOND["momentum 0.95"],
    "Muon momentum 0.4": SECOND["Muon momentum 0.4"],
    "no label smoothing": SECOND["no label smoothing"],
    "label smoothing 0.05": {"smoothing": 0.05},
    "warmup 0.3": SECOND["warmup 0.3"],
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
MORE_MOMENTUM = LIGHT | {"offset_rate": 20.0, "momentum": 0.95}
ON_MORE_MOMENTUM = {"": {}, "rates 0.07": SECOND["rates 0.07"]} | epochs_of(
    (2, 2.5, 1), (3, 2, 1), (1, 3, 1), (3, 3, 0.5), (2, 2, 1), (2, 2, 0.5), (2, 1.5, 1)
)
# Of the default, without its dropout, norm penalty and cell loss.
BASIS = {"penalty": 6e-5, "dense_penalty": 6e-5, "offset_rate": 20.0}
ON_BASIS = {"": {}, "rates 0.07": SECOND["rates 0.07"], "penalty 0.0001": SECOND["penalty 0.0001"]} | epochs_of(
    (2, 1.5, 1), (2, 2, 0.5), (3, 1.5, 0.5), (3, 1, 1), (4, 2, 0.5), (2, 2.5, 0.5), (1, 2, 1), (1, 2.5, 0.5), (2, 2, 1)
)
ON_BASIS |= epochs_of((4, 8, 4), (6, 6, 4))
ON_BASIS["epochs 4, 8, 4, penalty 0.0001"] = epochs(4, 8, 4) | SECOND["penalty 0.0001"]
TEN = epochs_of((1, 2, 1), (1, 1.5, 0.75), (1, 1.5, 0.5), (1, 1, 0.75), (1, 1, 0.5), (2, 1, 0.5), (1, 1, 1))
TEN |= epochs_of((1.5, 1, 0.75), (0.5, 1.5, 0.5), (2, 4, 2), (4, 4, 2))
TEN |= {
    "epochs 2, 4, 2, penalty 0.0001": epochs(2, 4, 2) | SECOND["penalty 0.0001"],
    "epochs 1, 1.5, 0.5, penalty 0.00003": epochs(1, 1.5, 0.5) | LIGHT,
    "epochs 1, 1.5, 0.5, rates 0.07": epochs(1, 1.5, 0.5) | SECOND["rates 0.07"],
    "epochs 1, 1.5, 0.5, rates 0.14": epochs(1, 1.5, 0.5) | SECOND["rates 0.14"],
}
LIGHT_ON_FOLDS = {
    name: ON_LIGHT[name]
    for name in ("", "no label smoothing", "dropout 0.3", "supervised contrast 0.1", "mixup 0.3", "zoom 0.15")
} | epochs_of((4, 6, 3), (2, 1.5, 1))
SIX_CLASS = SECOND | named(LIGHT, ON_LIGHT) | named(MORE_MOMENTUM, ON_MORE_MOMENTUM) | named(BASIS, ON_BASIS)
TEN_CLASS = {"second default": epochs(1, 2, 1)} | named(BASIS, TEN)
FOLDS = {name: SECOND[name] for name in ("second default", "no label smoothing", "penalty 0")}
FOLDS |= named(LIGHT, LIGHT_ON_FOLDS)
# The recipe of the 6-class net, with its dropout and norm penalty, by the default and by recipes/thorough.
TODAY = BASIS | epochs(2, 2, 1) | {"dropout": 0.3, "norm_penalty": 3.0}
THOROUGH = TODAY | epochs(4, 6, 3) | SECOND["penalty 0.0001"]
CELLS = {
    f"{name}, cell loss {weight:g}": basis | {"cell_loss": weight}
    for name, basis in (("default", TODAY), ("thorough", THOROUGH))
    for weight in (0.0, 0.3, 1.0, 3.0)
}


def probes() -> list[Probe]:
    """Return all probes: two seeds of each arm of the 6-class and the 10-class net, and one on each of some folds."""
    whole = [
        Probe(arm, tuple(changes.items()), seed, classes)
        for seed in (1, 2)
        for arms, classes in ((SIX_CLASS, tuple(range(6))), (TEN_CLASS, tuple(range(10))))
        for arm, changes in arms.items()
    ]
    folds = all_folds()
    on_folds = [*((arm, folds[:6]) for arm in FOLDS.items()), *((arm, folds) for arm in CELLS.items())]
    return whole + [
        Probe(arm, tuple(changes.items()), 1, *fold) for (arm, changes), chosen in on_folds for fold in chosen
    ]


class Images:
    """The official training images of CIFAR-10, by class."""

    def __init__(self, known: LabelledImages):
        self.images, self.labels = known.images, known.labels
        self.of_class = [np.flatnonzero(known.labels == label) for label in range(10)]

    def first(self, classes: tuple[int, ...], count: int) -> np.ndarray:
        """Return the places of the first images of each class, class by class."""
        return np.concatenate([self.of_class[label][:count] for label in classes])

    def last(self, classes: tuple[int, ...], count: int) -> np.ndarray:
        """Return the places of the last images of each class, class by class."""
        return np.concatenate([self.of_class[label][-count:] for label in classes])


def filters_of(images: Images) -> Callable[[tuple[int, ...], float], np.ndarray]:
    """Make a function (classes, whitening epsilon) -> whitening filters (54, 3, 3, 3), which computes each once."""
    from oneshot.convnet.net import DEVIATION, MEAN

    @functools.cache
    def filters(classes: tuple[int, ...], epsilon: float) -> np.ndarray:
        whitening.SMALLEST = epsilon  # this process trains no net of the pipeline
        places = np.random.default_rng(0).permutation(images.first(classes, TRAINED))[:5_000]
        inputs = (images.images[places] - MEAN) / DEVIATION
        return whitening.whitening_filters(inputs).transpose(3, 2, 0, 1).copy()

    return filters


def run(probe: Probe, trainer, images: Images, filters: Callable) -> Iterator[dict[str, float] | None]:
    """Train and measure one net by a `torch_net.Trainer`; yields None while it trains, and at last the row's values."""
    from torch.nn.functional import cross_entropy

    from tools.torch_net import Setting

    setting = replace(Setting(), **dict(probe.changes))
    places = images.first(probe.classes, TRAINED)
    labels = np.searchsorted(probe.classes, images.labels[places])
    trainer.prepare(setting, len(probe.classes))
    yield from trainer.train(setting, places, labels, filters(probe.classes, setting.whitening_epsilon), probe.seed)
    validated = images.last(probe.classes, VALIDATED)
    true = np.searchsorted(probe.classes, images.labels[validated])
    logits = [trainer.logits(trainer.represent(validated, mirrored=mirrored)[0]).cpu() for mirrored in (False, True)]
    row = {
        "loss": float(cross_entropy(logits[0], logits[0].new_tensor(true).long())),
        "accuracy": float((logits[0].argmax(1).numpy() == true).mean()),
        "mirror_averaged": float(((logits[0] + logits[1]).argmax(1).numpy() == true).mean()),
    }
    yield row | (one_shot(probe, trainer, images) if probe.held_out else {})


def one_shot(probe: Probe, trainer, images: Images) -> dict[str, float]:
    """Classify a fold's held-out classes in random episodes, by some of `oneshot.evaluation.transforms`."""

    def layers(places: np.ndarray):
        views = [trainer.represent(places, mirrored=mirrored) for mirrored in (False, True)]
        return stacked([{"linear": linear.cpu().numpy(), "pooled": pooled.cpu().numpy()} for linear, pooled in views])

    new, known = images.last(probe.held_out, VALIDATED), images.first(probe.classes, KNOWN)
    new_layers, known_layers = layers(new), layers(known)
    found = {}
    for shots in (1, 5):
        labels = images.labels[new]
        support = draw_episodes(labels, probe.held_out, episodes=DRAWS, shots=shots, seed=probe.seed)
        for method in METHODS:
            features = represent(method, new_layers, known_layers, images.labels[known])
            found[f"{method}_{shots}"] = float(accuracy(evaluate(features, labels, probe.held_out, support)).mean())
    return found


def main() -> None:
    """Run the probes that the table lacks."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    try:
        require_gpu()
        run_missing(Images(cifar10.read("data/raw/cifar10").take(np.arange(cifar10.TRAINING))))
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted: finished trainings are kept, the next call goes on")


def require_gpu() -> None:
    """Raise UserError if there is no PyTorch, or no GPU for it."""
    try:
        import torch
    except ModuleNotFoundError:
        raise UserError("the probes on a GPU need PyTorch: .venv/bin/pip install torch") from None
    if not torch.cuda.is_available():
        raise UserError("PyTorch finds no GPU here, which these probes need")


def run_missing(images: Images) -> None:
    """Run the probes that the table lacks, several at a time, and write each row as it comes."""
    import torch

    from tools.torch_net import DEVICE, Trainer, reflected

    rows = pd.read_csv(TABLE, dtype={"classes": str}).to_dict("records") if TABLE.exists() else []
    present = {(row["classes"], row["arm"], row["seed"]) for row in rows}
    missing = [probe for probe in probes() if probe.key not in present]
    if not missing:
        print(f"{TABLE} has all probes")
        return
    stored = torch.tensor(images.images, device=DEVICE)
    larger, filters = reflected(stored), filters_of(images)
    trainers = [Trainer(stored, larger) for _ in range(AT_A_TIME)]
    running: dict[int, tuple[Probe, Iterator[dict[str, float] | None]]] = {}
    with tqdm(total=len(missing), unit="training") as bar:
        while missing or running:
            for place, trainer in enumerate(trainers):
                if place not in running:
                    if not missing:
                        continue
                    probe = missing.pop(0)
                    running[place] = probe, run(probe, trainer, images, filters)
                probe, training = running[place]
                values = next(training)
                if values is not None:
                    del running[place]
                    rows.append(dict(zip(("classes", "arm", "seed"), probe.key, strict=True)) | values)
                    files.write_csv(TABLE, pd.DataFrame(rows).round(5))
                    bar.update()


if __name__ == "__main__":
    main()
