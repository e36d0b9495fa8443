"""Learning curves as DVCLive plots: one .tsv a figure, for `dvc plots show`."""

from pathlib import Path

from dvclive import Live


class Curves:
    """A folder of curves, NAME.tsv with columns step and value, that grows by one row an epoch.

    folder: receives plots/metrics/train/loss.tsv and so on; what DVCLive would write beside it is not kept, since the
    stage's own metrics file says it.
    """

    def __init__(self, folder: str | Path):
        self._summary = Path(folder) / "metrics.json"
        self._live = Live(folder, dvcyaml=None, save_dvc_exp=False, report=None, monitor_system=False)

    def add(self, row: dict[str, float]) -> None:
        """Add one epoch's figures, named such as train/loss."""
        for name, value in row.items():
            self._live.log_metric(name, round(value, 6))
        self._live.next_step()
        self._summary.unlink(missing_ok=True)

    def close(self) -> None:
        """Finish the curves."""
        self._live.end()
        self._summary.unlink(missing_ok=True)
