"""List the experiments of this commit, one per line of 80 columns: margin and one-shot accuracy.

The accuracy is that from one example of each unseen class: photographs by the report's protocol, drawings by
the embeddings of the two siamese nets. `dvc exp show` has all parameters and metrics.
"""

import argparse
from collections.abc import Mapping

import dvc.api

from tools.command import command

COLUMNS = {
    "photographs": "one_shot_cifar10.json:report_protocol.accuracy",
    "siamese-2d": "siamese-2d.json:unseen.shot_1.accuracy",
    "siamese-3d": "siamese-3d.json:unseen.shot_1.accuracy",
}


def line(row: Mapping) -> str:
    """Write the line of a row of dvc.api.exp_show; what it lacks is a dash.

    An experiment that has not ended well has the metrics of the commit that it started from: its state stands instead.
    """
    state = row.get("State")
    unfinished = state if state in ("Queued", "Running", "Failed") else ""
    values = [row.get("margin"), *(None if unfinished else _metric(row, ending) for ending in COLUMNS.values())]
    shown = [f"{value:.4g}" if isinstance(value, int | float) else "-" for value in values]
    shown[1] = unfinished or shown[1]
    name = row.get("Experiment") or row.get("rev") or ""
    return f"{name[:28]:28} {shown[0]:>8} {shown[1]:>12} {shown[2]:>12} {shown[3]:>12}"


def _metric(row: Mapping, ending: str) -> object:
    """A metric; where only one file has its key, DVC leaves the file out."""
    return next((value for name, value in row.items() if name.endswith(ending) or name == ending.split(":")[1]), None)


@command
def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    rows = dvc.api.exp_show()
    print(f"{'experiment':28} {'margin':>8} {'photographs':>12} {'siamese-2d':>12} {'siamese-3d':>12}")
    for row in rows:
        print(line(row))


if __name__ == "__main__":
    main()
