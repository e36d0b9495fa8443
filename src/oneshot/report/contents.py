"""What the page shows, section by section, computed from results: rows of tables, charts, contact sheets."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from oneshot.confusion import accuracy
from oneshot.episodes import choose_images, draw_episodes, evaluate
from oneshot.palette import CIFAR10_NAMES, COLOURS
from oneshot.report import charts, nets, reported
from oneshot.report.nearest import quantize
from oneshot.report.sheets import sheet

DIGIT_NAMES = tuple(str(digit) for digit in range(10))
# Embeddings of digits, in the page's order, and what the page calls them.
EMBEDDINGS = {
    "siamese-2d": "siamese net, 2-D",
    "siamese-3d": "siamese net, 3-D",
    "dense-all": "dense net, trained on all digits",
    "dense-seen": "dense net, trained on the seen digits",
}
CONVNETS = {"10-class": "ConvNet, 10 classes", "6-class": "ConvNet, 6 classes"}

_SAMPLES = 8  # of each class
_PAIRS = 12
# Try it: images of each class, and how many of them can be chosen as the class's one example.
_TRIED, _CHOICES = 100, 24


@dataclass(frozen=True)
class Results:
    """What the stage has read; a result that is not there is None, or missing from its mapping.

    params: all parameters, nested; cifar10, mnist: images and labels; checksums: of the data, by file;
    features: arrays by net; figures: metrics by file name without ending; curves: by net and then by "train/loss" and
    the like, a value an epoch; projections: tables "pca" and "tsne"; sweep, seeds, minutes: tables.
    """

    params: Mapping
    cifar10: tuple[np.ndarray, np.ndarray]
    mnist: tuple[np.ndarray, np.ndarray]
    checksums: Mapping[str, str]
    features: Mapping[str, Mapping[str, np.ndarray]]
    figures: Mapping[str, Mapping]
    curves: Mapping[str, Mapping[str, Sequence[float]]]
    projections: Mapping[str, pd.DataFrame]
    sweep: pd.DataFrame
    seeds: pd.DataFrame
    minutes: pd.DataFrame


def contents(results: Results) -> dict:
    """Compute all that the page's template asks for: tables by name, "charts", "sheets" and the "sets" to try."""
    parts = [
        _samples(results),
        _nets(),
        _curves(results),
        _tests(results),
        _novel(results),
        _few_shot(results),
        _digits(results),
        _sweep(results),
        _making(results),
    ]
    page = {"charts": {}, "sheets": {}, "sets": []}
    for part in parts:
        for kind, value in part.items():
            if kind in ("charts", "sheets"):
                page[kind] |= value
            elif kind == "sets":
                page[kind] += value
            else:
                page[kind] = value
    return page


def row(name: str, report: float | None, here: float | None, interval: float | None = None) -> dict:
    """Lay out a figure beside the report's: name, report, here, interval, difference; None where unknown."""
    difference = None if report is None or here is None else here - report
    return {"name": name, "report": report, "here": here, "interval": interval, "difference": difference}


def trial(name: str, key: str, codes: np.ndarray, labels: np.ndarray, tiles: Sequence[int], of: Mapping) -> dict:
    """Pack images to try one-shot learning on: what the page's script and unpack() read.

    codes: (n, d) uint8 or uint16; labels: (n,) integers, grouped by class; tiles: (n,) places in the sheet;
    of: {"sheet", "names"}: the sheet's name and each label's.
    """
    classes = list(dict.fromkeys(labels.tolist()))
    return {
        "name": name,
        "key": key,
        "sheet": of["sheet"],
        "classes": [{"label": label, "name": of["names"][label], "colour": COLOURS[label]} for label in classes],
        "labels": [classes.index(label) for label in labels.tolist()],
        "choices": [np.flatnonzero(labels == label)[:_CHOICES].tolist() for label in classes],
        "tiles": [int(tile) for tile in tiles],
        "dimensions": codes.shape[1],
        "bytes": codes.itemsize,
        "codes": base64.b64encode(codes.tobytes()).decode(),
    }


def unpack(packed: Mapping) -> np.ndarray:
    """Read the representations of a packed set, as the page's script does: (n, d) uint8 or uint16."""
    codes = np.frombuffer(base64.b64decode(packed["codes"]), f"<u{packed['bytes']}")
    return codes.reshape(-1, packed["dimensions"])


def _samples(results: Results) -> dict:
    sheets, groups = {}, []
    cifar10, mnist = results.params["cifar10"], results.params["mnist"]
    for key, title, (images, labels), names, seen, unseen in (
        ("cifar10", "CIFAR-10", results.cifar10, CIFAR10_NAMES, cifar10["base_classes"], cifar10["novel_classes"]),
        ("mnist", "MNIST", results.mnist, DIGIT_NAMES, mnist["seen_digits"], mnist["unseen_digits"]),
    ):
        chosen = choose_images(labels, range(10), _SAMPLES, results.params["seed"], "samples")
        sheets[f"samples-{key}"] = sheet(images[chosen], _SAMPLES)
        part = {**dict.fromkeys(seen, "seen"), **dict.fromkeys(unseen, "unseen")}
        rows = [{"label": label, "name": names[label], "part": part.get(label, "not used")} for label in range(10)]
        groups.append({"sheet": f"samples-{key}", "title": title, "rows": rows})
    return {"sheets": sheets, "samples": groups, "samples_per_class": _SAMPLES}


def _nets() -> dict:
    listed = {
        "ConvNet, 6 classes": (nets.convnet(6), "CIFAR-10; with 10 classes the last layer has 6,010 parameters"),
        "Dense embedding net": (nets.dense_embedding(10), "MNIST; with the 5 seen digits the last layer has 15"),
        "Siamese net, 2-D": (nets.siamese(2), "MNIST; both images of a pair go through it; in 3-D the last has 9,411"),
    }
    return {
        "nets": [
            {"name": name, "note": note, "layers": layers, "total": sum(layer.parameters for layer in layers)}
            for name, (layers, note) in listed.items()
        ]
    }


def _curves(results: Results) -> dict:
    drawn = {}
    for net, curves in results.curves.items():
        loss = "contrastive loss (no unit)" if net.startswith("siamese") else "cross-entropy (nats)"
        for figure, title in (("loss", loss), ("accuracy", "accuracy (share)")):
            parts = (curves[f"{part}/{figure}"] for part in ("train", "validation"))
            drawn[f"curve-{net}-{figure}"] = charts.curves(*parts, title)
    return {"charts": drawn}


def _tests(results: Results) -> dict:
    rows = []
    for net, name in CONVNETS.items():
        figures = results.figures.get(f"train_convnet/{net}")
        if figures is None:
            continue
        report = reported.CONVNETS[net]
        rows.append(row(f"{name}: accuracy", report.accuracy, figures["test"]["accuracy"]))
        rows.append(row(f"{name}: loss", report.loss, figures["test"]["loss"]))
        mirrored = figures.get("test_mirror_averaged", {})
        if "accuracy" in mirrored:
            rows.append(row(f"{name}: accuracy, averaged with mirror images", None, mirrored["accuracy"]))
    return {"tests": rows}


def _novel(results: Results) -> dict:
    """The unseen classes of CIFAR-10: a draw, the projections, the nearest pairs, and the set to try."""
    data = results.features.get("6-class")
    if data is None:
        return {"draw": None, "pairs": []}
    params, images = results.params, results.cifar10[0]
    classes, seed = params["cifar10"]["novel_classes"], params["seed"]
    novel = np.isin(data["labels"], classes)
    features, labels, indices = (data[key][novel] for key in ("embeddings", "labels", "indices"))

    # The same images and draws as in the stage one_shot_cifar10.
    pool = choose_images(labels, classes, params["one_shot"]["images_per_class"], seed, "report protocol")
    draws = draw_episodes(
        labels[pool], classes, episodes=params["one_shot"]["draws"], shots=1, seed=seed, purpose="report protocol"
    )
    first = type(draws)(draws.ways[:1], draws.support[:1])
    matrix = evaluate(features[pool].astype(np.float64), labels[pool], classes, first)[0]
    supports = pool[first.support[0, :, 0]]
    names = [CIFAR10_NAMES[label] for label in classes]
    pairs = nearest_pairs(features[pool], labels[pool], _PAIRS)
    shown = np.concatenate([supports, pool[np.array([pair[:2] for pair in pairs], int).ravel()]])
    draw = {
        "names": names,
        "labels": classes,
        "accuracy": float(accuracy(matrix)),
        "queries": int(matrix.sum()),
        "distances": _distances(features[supports]).tolist(),
    }
    pairs = [
        {
            "tiles": [len(supports) + 2 * place, len(supports) + 2 * place + 1],
            "labels": [int(labels[pool[end]]) for end in pair[:2]],
            "names": [CIFAR10_NAMES[labels[pool[end]]] for end in pair[:2]],
            "distance": pair[2],
        }
        for place, pair in enumerate(pairs)
    ]

    pictured = choose_images(labels, classes, params["projection"]["images_per_class"], seed, "pictures")
    drawn = {"vectors": charts.vectors(features[supports], classes, names)}
    axes = {"pca": "principal component", "tsne": "t-SNE dimension"}
    for key, table in results.projections.items():
        if table["label"].tolist() != labels[pictured].tolist():
            raise ValueError(f"the rows of {key} are not those of the pictured images")
        titles = [f"{axes[key]} {number} (no unit)" for number in (1, 2)]
        points = table.iloc[:, :2].to_numpy()
        drawn[key] = charts.scatter(points, labels[pictured], CIFAR10_NAMES, titles, range(len(pictured)))
    tried = np.concatenate([np.flatnonzero(labels[pictured] == label)[:_TRIED] for label in classes])
    packed = trial(
        f"CIFAR-10: {len(classes)} classes that the net never saw",
        "cifar10",
        quantize(features[pictured[tried]], 8),
        labels[pictured[tried]],
        tried,
        {"sheet": "novel", "names": CIFAR10_NAMES},
    )
    sheets = {"novel": sheet(images[indices[pictured]]), "shown": sheet(images[indices[shown]], 2)}
    return {"charts": drawn, "sheets": sheets, "draw": draw, "pairs": pairs, "sets": [packed]}


def nearest_pairs(features: np.ndarray, labels: np.ndarray, count: int) -> list[tuple[int, int, float]]:
    """Find the nearest pairs of images of different classes: (position, position, distance), nearest first.

    features: (n, d) float; labels: (n,). No image stands in two pairs, so that one odd image does not fill the list.
    """
    features = features.astype(np.float64)
    squares = (features**2).sum(1)
    apart = squares[:, None] + squares - 2 * features @ features.T
    first, second = np.nonzero(np.triu(labels[:, None] != labels))
    order = np.argsort(apart[first, second], kind="stable")[: 50 * count]
    first, second = first[order], second[order]
    # Once more, digit by digit: the product above depends on the number of threads in its last ones.
    exact = np.sqrt(((features[first] - features[second]) ** 2).sum(1)).round(6)
    pairs, used = [], set()
    for distance, a, b in sorted(zip(exact.tolist(), first.tolist(), second.tolist(), strict=True)):
        if len(pairs) < count and not used & {a, b}:
            pairs.append((a, b, distance))
            used |= {a, b}
    return pairs


def _few_shot(results: Results) -> dict:
    figures = results.figures.get("one_shot_cifar10")
    if figures is None:
        return {"few_shot": None}
    classes = results.params["cifar10"]["novel_classes"]
    names = [CIFAR10_NAMES[label] for label in classes]
    protocol = figures["report_protocol"]
    here = [protocol[f"class_{label}"] for label in classes]
    first = [reported.ACCURACY.get(label) for label in classes]
    mean = None if None in first or len(first) != len(reported.ACCURACY) else sum(first) / len(first)
    rows = [
        row(name, told, found["accuracy"], found["accuracy_interval_95"])
        for name, told, found in zip(names, first, here, strict=True)
    ]
    rows.append(row("mean", mean, protocol["accuracy"], protocol["accuracy_interval_95"]))
    places = list(zip(names, classes, here, strict=True))
    details = {
        kind: [row(name, table.get(label), found.get(kind)) for name, label, found in places]
        for kind, table in (("recall", reported.RECALL), ("precision", reported.PRECISION))
    }
    matrix = np.array(
        [[protocol["confusion"][f"predicted_{p}"][f"reference_{r}"] for r in classes] for p in classes], np.int64
    )
    told = np.array(reported.CONFUSION)
    ours = [found["accuracy"] for found in here], [found["accuracy_interval_95"] for found in here]
    drawn = {
        "accuracy": charts.bars(names, {"report": (first, None), "here": ours}, "accuracy"),
        "confusion-report": charts.confusion(told, [CIFAR10_NAMES[label] for label in reported.CONFUSION_LABELS]),
        "confusion-here": charts.confusion(matrix, names),
    }
    settings = [
        (f"{shots.removeprefix('shot_')}-shot", method, found["accuracy"], found["accuracy_interval_95"])
        for shots, methods in figures["episodes"].items()
        for method, found in methods.items()
        if "accuracy" in found
    ]
    drawn["methods"] = charts.methods(settings)
    return {
        "charts": drawn,
        "few_shot": {"accuracy": rows, **details, "first": float(np.mean(first)) if mean else None},
        "report_second_run": float(accuracy(told)),
        "methods": len({method for _, method, _, _ in settings}),
    }


def _digits(results: Results) -> dict:
    """Embeddings of digits: pictures of seen and unseen ones, figures, and the sets to try."""
    params, images = results.params, results.mnist[0]
    seed, groups = params["seed"], {"seen": params["mnist"]["seen_digits"], "unseen": params["mnist"]["unseen_digits"]}
    drawn, sheets, sets = {}, {}, []
    for net in EMBEDDINGS:
        data = results.features.get(net)
        if data is None:
            continue
        start = 0
        pictures = []
        for group, digits in groups.items():
            # The same images as in the stage one_shot_mnist; each net's test images are the same.
            chosen = choose_images(data["labels"], digits, params["projection"]["images_per_class"], seed, "pictures")
            points, labels = data["embeddings"][chosen], data["labels"][chosen]
            axes = [f"{axis} (no unit)" for axis in "xyz"[: points.shape[1]]]
            tiles = range(start, start + len(chosen))
            drawn[f"{net}-{group}"] = charts.scatter(points, labels, DIGIT_NAMES, axes, tiles)
            pictures.append(images[data["indices"][chosen]])
            if group == "unseen" and net.startswith("siamese"):
                tried = np.concatenate([np.flatnonzero(labels == digit)[:_TRIED] for digit in digits])
                sets.append(
                    trial(
                        f"MNIST: {len(digits)} digits that the net never saw, {EMBEDDINGS[net]}",
                        net,
                        quantize(points[tried], 16),
                        labels[tried],
                        tried + start,
                        {"sheet": "digits", "names": DIGIT_NAMES},
                    )
                )
            start += len(chosen)
        sheets["digits"] = sheet(np.concatenate(pictures), 50)
    return {"charts": drawn, "sheets": sheets, "sets": sets, **_digit_figures(results)}


def _digit_figures(results: Results) -> dict:
    pairs, dense, one_shot, confused = [], [], [], []
    for dimensions in ("2d", "3d"):
        figures = results.figures.get(f"train_siamese/{dimensions}")
        for group in ("seen", "unseen") if figures else ():
            name = f"{EMBEDDINGS[f'siamese-{dimensions}']}: {group} digits"
            pairs.append({"name": name, **figures[group]["test"]})
    for digits in ("all", "seen"):
        figures = results.figures.get(f"train_dense_embedding/{digits}")
        if figures:
            dense.append({"name": EMBEDDINGS[f"dense-{digits}"], **figures["test"]})
    for net, name in EMBEDDINGS.items():
        figures = results.figures.get(f"one_shot_mnist/{net}")
        if figures is None:
            continue
        for shots in figures["all"]:
            found = {group: figures[group][shots] for group in ("seen", "unseen", "all")}
            one_shot.append({"name": name, "shots": int(shots.removeprefix("shot_")), **found})
        confused.append({"name": name, **next(iter(figures["all"].values()))["confused"]})
    return {"siamese_pairs": pairs, "dense": dense, "one_shot_digits": one_shot, "confused_digits": confused}


def _sweep(results: Results) -> dict:
    table = results.sweep
    if table.empty:
        return {"sweep": []}
    titles = {"unseen_5way_1shot": "1-shot accuracy on unseen digits", "unseen_auc": "AUC of pairs of unseen digits"}
    drawn = {f"sweep-{column}": charts.sweep(table, column, title) for column, title in titles.items()}
    return {"charts": drawn, "sweep": table.sort_values(["dimension", "margin"]).to_dict("records")}


def _making(results: Results) -> dict:
    seeds = results.seeds[["figure", "mean", "deviation", "trainings"]].astype(object)
    return {
        "parameters": list(_flat(results.params)),
        "checksums": results.checksums,
        # A single training has no deviation.
        "seeds": seeds.where(seeds.notna(), None).to_dict("records"),
        "minutes": results.minutes.to_dict("records"),
    }


def _flat(tree: Mapping, prefix: str = ""):
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", json.dumps(value)


def _distances(features: np.ndarray) -> np.ndarray:
    features = features.astype(np.float64)
    return np.sqrt(((features[:, None] - features) ** 2).sum(-1)).round(6)
