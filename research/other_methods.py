"""Compare ways to classify from few examples with those of the library easyfsl, on the 6-class net's stored features.

All get the same episodes: all unseen classes, QUERIES images of each as queries. easyfsl's methods have its default
settings; features are centered by the mean of the seen images, as for CL2N here. The library needs PyTorch, so
it is not in this project's environment:

    .venv/bin/pip install easyfsl
    python other_methods.py         tables/other_methods.csv
"""

import time
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd
import study

from oneshot.core.errors import UserError
from oneshot.core.files import read_arrays
from oneshot.core.progress import progress
from oneshot.core.seeds import generator
from oneshot.evaluation import transductive
from oneshot.evaluation.confusion import accuracy, mean_and_interval
from oneshot.evaluation.episodes import classify_episodes, draw_episodes
from oneshot.evaluation.transforms import layers_of, transform_features

SHOTS, EPISODES, QUERIES = (1, 5), 300, 15
INDUCTIVE = ("raw", "cl2n", "flip_prerelu_gap_whitened")
TOGETHER = ("cl2n", "flip_prerelu_gap_whitened")
# easyfsl's class, and whether it gets features less the mean of seen ones, and of unit length.
THEIRS = {
    "PrototypicalNetworks": (False, False),
    "SimpleShot": (True, True),
    "Finetune": (True, True),
    "BDCSPN": (True, True),
    "LaplacianShot": (True, True),
    "TIM": (True, True),
    # By the paper of unit length, which easyfsl leaves to the caller: without it, all queries become one class.
    "PTMAP": (False, True),
}
TRANSDUCTIVE = {"BDCSPN", "LaplacianShot", "TIM", "PTMAP"}


def theirs(name: str, units: np.ndarray, center: np.ndarray, labels: np.ndarray, support: np.ndarray) -> float:
    """Classify one episode by a class of easyfsl: units (n, d), labels (n,) 0 .. ways - 1 -> accuracy of queries."""
    import torch  # pyright: ignore[reportMissingImports]
    from easyfsl import methods  # pyright: ignore[reportMissingImports]

    centered, of_unit_length = THEIRS[name]
    options = {"feature_centering": torch.tensor(center)} if centered else {}
    options |= {"feature_normalization": 2} if of_unit_length else {}
    known = support.ravel()
    queries = np.setdiff1d(np.arange(len(units)), known)
    classifier = getattr(methods, name)(**options)
    classifier.process_support_set(torch.tensor(units[known]), torch.tensor(labels[known]))
    found = classifier(torch.tensor(units[queries])).detach().argmax(1).numpy()
    return float(np.mean(found == labels[queries]))


def classify(
    made: Mapping[str, np.ndarray], center: np.ndarray, labels: np.ndarray, support: np.ndarray
) -> Iterator[tuple[tuple[str, str], float, float]]:
    """Yield (library, method), accuracy and processor milliseconds of all ways to classify one episode.

    made: {method: (n, d)} of its images; center: (d,), mean of seen images' units; labels: (n,) 0 .. ways - 1; support:
    (1, ways, shots) positions.
    """
    classes = np.unique(labels).tolist()
    arms: dict[tuple[str, str], Callable[[], float]] = {}
    for method in INDUCTIVE:
        arms["here", method] = lambda method=method: accuracy(
            classify_episodes(made[method], labels, classes, support)
        ).item()
    for method in TOGETHER:
        arms["here", f"soft k-means, {method}"] = lambda method=method: accuracy(
            transductive.classify_together(made[method], labels, classes, support)
        ).item()
    for name in THEIRS:
        arms["easyfsl", name] = lambda name=name: theirs(name, made["raw"], center, labels, support)
    for arm, run in arms.items():
        start = time.process_time()
        yield arm, run(), 1000 * (time.process_time() - start)


def compare(params: study.Params) -> pd.DataFrame:
    """Columns: library, method, transductive, shots, accuracy, interval_95 (over episodes), milliseconds (median)."""
    data = read_arrays("../features/6-class")
    classes = params.cifar10.unseen_classes
    is_unseen = np.isin(data["labels"], classes)
    unseen, seen = layers_of(data, is_unseen), layers_of(data, ~is_unseen)
    labels, seen_labels = data["labels"][is_unseen], data["labels"][~is_unseen]
    center = seen["units"][0].mean(0)
    made = {method: transform_features(method, unseen, seen, seen_labels) for method in INDUCTIVE}
    rows = []
    for shots in SHOTS:
        draws = draw_episodes(labels, classes, episodes=EPISODES, shots=shots, seed=params.seed)
        rng, found = generator(params.seed, "queries of other methods", shots), {}
        for draw in progress(draws, desc=f"{shots} examples", unit="episode"):
            left = [np.setdiff1d(np.flatnonzero(labels == label), draw) for label in classes]
            queries = np.concatenate([rng.choice(part, QUERIES, replace=False) for part in left])
            chosen = np.concatenate([draw.ravel(), queries])
            of_episode = np.searchsorted(np.sort(classes), labels[chosen])
            support = np.arange(draw.size).reshape(1, *draw.shape)
            features = {method: values[chosen] for method, values in made.items()}
            for arm, correct, spent in classify(features, center, of_episode, support):
                found.setdefault(arm, []).append((correct, spent))
        for (library, method), values in found.items():
            correct, spent = np.array(values).T
            together = method in TRANSDUCTIVE or method.startswith("soft k-means")
            rows.append((library, method, together, shots, *mean_and_interval(correct), np.median(spent)))
    columns = ["library", "method", "transductive", "shots", "accuracy", "interval_95", "milliseconds"]
    return pd.DataFrame(rows, columns=columns)


def one() -> None:
    """Write the table; raises UserError if easyfsl is not installed."""
    params = study.enter()
    try:
        import easyfsl  # noqa: F401 # pyright: ignore[reportMissingImports]
    except ImportError:
        raise UserError("easyfsl is not installed: .venv/bin/pip install easyfsl") from None
    study.write_table("other_methods", compare(params))


if __name__ == "__main__":
    study.main(__doc__, one)
