"""Write the HTML page: the report's results and this run's side by side, and one-shot learning to try."""

from pydantic import model_validator

from oneshot.convnet.params import ConvnetParams
from oneshot.core.environment import TrainingComputeParams
from oneshot.core.params import Schema, Seed
from oneshot.core.stage import run
from oneshot.dense_embedding.params import DenseEmbeddingParams
from oneshot.evaluation.params import OneShotParams, PictureParams
from oneshot.siamese.params import Margin, SiameseParams
from oneshot.splits.params import CIFAR10_IMAGES, MNIST_IMAGES, Cifar10Params, MnistParams


class Params(Schema):
    """The parameters that this stage reads: all that influence a result, since the page shows them."""

    compute: TrainingComputeParams
    seed: Seed
    margin: Margin
    cifar10: Cifar10Params
    mnist: MnistParams
    convnet: ConvnetParams
    siamese: SiameseParams
    dense_embedding: DenseEmbeddingParams
    one_shot: OneShotParams
    pictures: PictureParams

    @model_validator(mode="after")
    def _images_suffice(self):
        """Refuse to use more images than there are: only this stage reads all the parameters that decide that."""
        for data, images, counts in (
            ("cifar10", CIFAR10_IMAGES, CIFAR10_IMAGES.values()),
            ("mnist", MNIST_IMAGES, [MNIST_IMAGES["test"]]),
        ):
            limit = getattr(self, data).limit_per_class or max(images.values())
            present = sum(min(limit, count) for count in counts)
            asked = {
                "one_shot.shots and at least one query": max(self.one_shot.shots) + 1,
                "pictures.images_per_class": self.pictures.images_per_class,
            }
            if data == "cifar10":
                asked["one_shot.images_per_class"] = self.one_shot.images_per_class
            for key, count in asked.items():
                if count > present:
                    raise ValueError(
                        f"{key} asks for {count} images of each class of {data}, but there are {present}: lower it, or"
                        f" raise {data}.limit_per_class"
                    )
        return self


def main(params: Params) -> None:
    """Write plots/page.html."""
    from hashlib import sha256

    import pandas as pd

    from oneshot.core import files
    from oneshot.datasets import cifar10, mnist
    from oneshot.encoders.write import read_constants
    from oneshot.nets.table import PHOTOGRAPHS
    from oneshot.page.contents import contents
    from oneshot.page.render import render
    from oneshot.page.results import EMBEDDINGS, Results, read_table

    studies = files.read_json("docs/studies.json")
    tables = {"one_shot_cifar10": "one_shot_cifar10", **{net: f"one_shot_mnist/{net}" for net in EMBEDDINGS}}
    found = [path for name in ("cifar10", "mnist") for path in files.visible(f"data/raw/{name}", "*")]
    raw = sorted(found, key=lambda path: path.name)
    metrics = files.visible("metrics", "**/*.json")
    results = Results(
        params=params.model_dump(),
        cifar10=cifar10.read("data/raw/cifar10"),
        mnist=mnist.read("data/raw/mnist"),
        checksums={path.name: sha256(path.read_bytes()).hexdigest() for path in raw},
        features={net: files.read_arrays(f"features/{net}") for net in ("6-class", *EMBEDDINGS)},
        drawing_net={
            # What methods need beside the layers, the page computes from features.
            name: values
            for name, values in read_constants(
                "exports/siamese-2d.onnx", weights=files.made_by("features/siamese-2d")
            ).items()
            if name.endswith((".kernel", ".bias"))
        },
        metrics={path.relative_to("metrics").with_suffix("").as_posix(): files.read_json(path) for path in metrics},
        curves={net: pd.read_csv(f"plots/curves/{net}.csv") for net in (*PHOTOGRAPHS, *EMBEDDINGS)},
        confusion={name: pd.read_csv(f"plots/{folder}/confusion.csv") for name, folder in tables.items()},
        scatter={name: pd.read_csv(f"plots/{folder}/scatter.csv") for name, folder in tables.items()},
        methods=pd.read_csv("plots/one_shot_cifar10/methods.csv"),
        together=pd.read_csv("plots/one_shot_cifar10/transductive.csv"),
        studies={name: read_table(study["csv"]) for name, study in studies.items()},
        stale={name: study["stale"] for name, study in studies.items() if study["stale"]},
    )
    files.write_bytes("plots/page.html", render(contents(results)))


if __name__ == "__main__":
    run(main, Params)
