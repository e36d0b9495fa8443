"""Download one data set into data/raw and verify it by SHA-256."""

from oneshot.core.params import Schema
from oneshot.core.stage import run
from oneshot.download.params import DownloadParams


class Params(Schema):
    """The parameters that this stage reads."""

    download: DownloadParams


def main(params: Params, dataset: str) -> None:
    """Write data/raw/DATASET."""
    from oneshot.download.fetch import fetch, save

    save(f"data/raw/{dataset}", fetch(dataset, params.download))


if __name__ == "__main__":
    run(main, Params, dataset=("cifar10", "mnist"))
