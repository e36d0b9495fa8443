"""Learning curves: one CSV per net, extended after every epoch."""

from pathlib import Path

import pandas as pd

from oneshot.core.files import write_csv


class Curves:
    """The table of one training: a row per epoch, part (training, validation) and metric (loss, accuracy)."""

    def __init__(self, path: str | Path):
        """path: of the CSV, columns epoch, part, metric, value; an old one is replaced after the first epoch."""
        self._path = path
        self._rows: list[dict[str, int | str | float]] = []
        self._epoch = 0

    def add(self, row: dict[str, float]) -> None:
        """Add the metrics of one epoch, with names such as training/loss, and write the file."""
        self._epoch += 1
        for name, value in row.items():
            part, metric = name.split("/")
            self._rows.append({"epoch": self._epoch, "part": part, "metric": metric, "value": value})
        write_csv(self._path, pd.DataFrame(self._rows))
