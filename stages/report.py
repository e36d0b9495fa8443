"""Write the report page: the report's figures beside this run's, and one-shot learning to try by hand."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import Field

from oneshot.convnet_params import ConvnetParams
from oneshot.dense_embedding_params import DenseEmbeddingParams
from oneshot.one_shot_cifar10_params import OneShotCifar10Params, ProjectionParams
from oneshot.params import Schema, load
from oneshot.siamese_params import SiameseParams
from oneshot.splits import Cifar10Params, MnistParams
from oneshot.stage import run


class Params(Schema):
    """The leaves that this stage reads: it shows all that shape a result."""

    seed: int = Field(ge=0)
    margin: float = Field(gt=0)
    cifar10: Cifar10Params
    mnist: MnistParams
    convnet: ConvnetParams
    siamese: SiameseParams
    dense_embedding: DenseEmbeddingParams
    one_shot: OneShotCifar10Params
    projection: ProjectionParams


def main() -> None:
    """Write plots/report.html."""
    params = load(Params)

    import pandas as pd

    from oneshot import datasets, files
    from oneshot.report.contents import CONVNETS, EMBEDDINGS, Results, contents
    from oneshot.report.page import render

    def found(read: Callable[[str], Any], pattern: str, names: list[str]) -> dict[str, Any]:
        """Read what is there of the results of these names; the page has a gap for what is not."""
        places = {name: pattern.format(name) for name in names}
        return {name: read(place) for name, place in places.items() if Path(place).exists()}

    def read_curves(folder: str) -> dict[str, list[float]]:
        """Read the four curves of a net: {"train/loss": a value an epoch, ...}."""
        return {
            f"{part}/{figure}": pd.read_csv(f"{folder}/{part}/{figure}.tsv", sep="\t")[figure].tolist()
            for part in ("train", "validation")
            for figure in ("loss", "accuracy")
        }

    figures = [
        *(f"train_convnet/{net}" for net in CONVNETS),
        "one_shot_cifar10",
        *(f"train_siamese/{dimensions}d" for dimensions in (2, 3)),
        *(f"train_dense_embedding/{digits}" for digits in ("all", "seen")),
        *(f"one_shot_mnist/{net}" for net in EMBEDDINGS),
    ]
    raw = {name: f"data/raw/{name}" for name in ("cifar10", "mnist")}
    data = [path for folder in raw.values() for path in Path(folder).iterdir()]
    results = Results(
        params=params.model_dump(),
        cifar10=datasets.read_cifar10(raw["cifar10"]),
        mnist=datasets.read_mnist(raw["mnist"]),
        checksums={path.name: sha256(path.read_bytes()).hexdigest() for path in sorted(data)},
        features=found(files.read_arrays, "features/{}", ["6-class", *EMBEDDINGS]),
        figures=found(files.read_json, "metrics/{}.json", figures),
        curves=found(read_curves, "plots/curves/{}/plots/metrics", [*CONVNETS, *EMBEDDINGS]),
        projections=found(pd.read_csv, "plots/one_shot_cifar10/{}.csv", ["pca", "tsne"]),
        sweep=pd.read_csv("docs/sweep.csv"),
        seeds=pd.read_csv("docs/seeds.csv"),
        minutes=pd.read_csv("docs/minutes.csv"),
    )
    files.write_bytes("plots/report.html", render(contents(results)))


if __name__ == "__main__":
    run(main)
