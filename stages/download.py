"""Get one data set, verified, into data/raw/DATASET: python stages/download.py cifar10 (or mnist)."""

import argparse

from oneshot.params import Schema, load
from oneshot.sources import FILES, DownloadParams, fetch, save
from oneshot.stage import run


class Params(Schema):
    """The parameters that this stage reads."""

    download: DownloadParams


def main() -> None:
    """Download the data set that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", choices=FILES)
    dataset = parser.parse_args().dataset
    params = load(Params)
    save(f"data/raw/{dataset}", fetch(dataset, params.download))


if __name__ == "__main__":
    run(main)
