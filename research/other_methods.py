"""Compare ways to classify from few examples with those of the library easyfsl, on the 6-class net's stored features.

All get the same episodes: all unseen classes, QUERIES images of each as queries. easyfsl's methods have its default
settings. The library needs PyTorch, so it is not in this project's environment:

    .venv/bin/pip install easyfsl
"""

import time
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pandas as pd
import study

from oneshot.core.errors import UserError
from oneshot.core.files import read_arrays
from oneshot.core.progress import progress
from oneshot.core.seeds import generator
from oneshot.evaluation.confusion import accuracy, mean_and_interval
from oneshot.evaluation.episodes import classify_episodes, draw_episodes
from oneshot.evaluation.transductive import classify_together
from oneshot.evaluation.transforms import task_of

SHOTS, EPISODES, QUERIES = (1, 5), 300, 15
INDUCTIVE = ("raw", "cl2n", "flip_prerelu_gap_whitened")
TOGETHER = ("cl2n", "flip_prerelu_gap_whitened")
# easyfsl's class: the features that it gets, and whether it classifies all queries together. PT-MAP gets unit length by
# its paper; easyfsl leaves this to the caller, and without it all queries become one class.
THEIRS = {
    "PrototypicalNetworks": ("raw", False),
    "SimpleShot": ("cl2n", False),
    "Finetune": ("cl2n", False),
    "BDCSPN": ("cl2n", True),
    "LaplacianShot": ("cl2n", True),
    "TIM": ("cl2n", True),
    "PTMAP": ("unit", True),
}
# Of an episode: features (n, d) by method, labels (n,) 0 .. ways - 1, support (ways, shots) positions.
Episode = tuple[Mapping[str, np.ndarray], np.ndarray, np.ndarray]


def ours(classify: Callable, method: str, episode: Episode) -> float:
    """Classify one episode by a function of this project: the accuracy of the queries."""
    features, labels, support = episode
    return accuracy(classify(features[method], labels, range(len(support)), support[None])).item()


def theirs(name: str, episode: Episode) -> float:
    """Classify one episode by a class of easyfsl: the accuracy of the queries."""
    import torch  # pyright: ignore[reportMissingImports]
    from easyfsl import methods  # pyright: ignore[reportMissingImports]

    made, labels, support = episode
    features, known = made[THEIRS[name][0]], support.ravel()
    queries = np.setdiff1d(np.arange(len(labels)), known)
    classifier = getattr(methods, name)()
    classifier.process_support_set(torch.tensor(features[known]), torch.tensor(labels[known]))
    found = classifier(torch.tensor(features[queries])).detach().argmax(1).numpy()
    return float(np.mean(found == labels[queries]))


def compare(params: study.Params) -> pd.DataFrame:
    """Columns: library, method, transductive, shots, accuracy, interval_95 (over episodes), milliseconds (median)."""
    classes = params.cifar10.unseen_classes
    task = task_of(read_arrays("../features/6-class"), classes)
    made = {method: task.transformed(method) for method in (*INDUCTIVE, "unit")}
    arms = {("here", name, False): partial(ours, classify_episodes, name) for name in INDUCTIVE}
    arms |= {("here", f"soft k-means, {name}", True): partial(ours, classify_together, name) for name in TOGETHER}
    arms |= {("easyfsl", name, together): partial(theirs, name) for name, (_, together) in THEIRS.items()}
    rows = []
    for shots in SHOTS:
        draws = draw_episodes(task.labels, classes, episodes=EPISODES, shots=shots, seed=params.seed)
        rng, found = generator(params.seed, "queries of other methods", shots), {arm: [] for arm in arms}
        for draw in progress(draws, desc=f"{shots} examples", unit="episode"):
            left = [np.setdiff1d(np.flatnonzero(task.labels == label), draw) for label in classes]
            queries = np.concatenate([rng.choice(part, QUERIES, replace=False) for part in left])
            chosen = np.concatenate([draw.ravel(), queries])
            features = {method: values[chosen] for method, values in made.items()}
            labels = np.concatenate([np.repeat(np.arange(len(classes)), count) for count in (shots, QUERIES)])
            for arm, classify in arms.items():
                start = time.process_time()
                correct = classify((features, labels, np.arange(draw.size).reshape(draw.shape)))
                found[arm].append((correct, 1000 * (time.process_time() - start)))
        for arm, values in found.items():
            correct, spent = np.array(values).T
            rows.append((*arm, shots, *mean_and_interval(correct), np.median(spent)))
    columns = ["library", "method", "transductive", "shots", "accuracy", "interval_95", "milliseconds"]
    return pd.DataFrame(rows, columns=columns)


def one() -> None:
    """Write the table; raises UserError if easyfsl, or what it needs, is not installed."""
    params = study.enter()
    try:
        from easyfsl import methods  # noqa: F401 # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise UserError(f"easyfsl cannot be imported ({error}): .venv/bin/pip install easyfsl") from None
    study.write_table("other_methods", compare(params))


if __name__ == "__main__":
    study.main(__doc__, one)
