"""How the results were made: spread over trainings, minutes, parameters, data."""

import json

import pandas as pd

from oneshot.core.keys import flat
from oneshot.nets.table import SIAMESE
from oneshot.page.metrics import METRICS, stored
from oneshot.page.results import Results
from oneshot.page.spread import mean_with
from oneshot.page.studies import Table, all_metrics

# By these metrics a run is recognised as one of the trainings.
_RECOGNISED = ("one-shot, the report's protocol", *(f"{net}, unseen digits, AUC" for net in SIAMESE))


def section(results: Results) -> dict:
    """Compute the tables "metrics" and "minutes" (if recorded), "parameters", "checksums", "several" (whether there are
    trainings with several seeds), "stale" (the revision of each stale table) and "stored" (whether this run is one of
    those trainings, and has their parameters)."""
    seeds, thorough = results.study("seeds"), results.study("seeds_thorough")
    tables = {"metrics": all_metrics(results.metrics, seeds, thorough, results.params)}
    minutes = results.study("minutes")
    if not minutes.empty:
        rows = minutes.assign(minutes=minutes["minutes"].map("{:.2f}".format)).itertuples(index=False, name=None)
        tables["minutes"] = Table(("stage", "minutes", "processor", "threads", "TensorFlow"), list(rows))
    return {
        "tables": tables,
        "parameters": [(key, json.dumps(value)) for key, value in flat(results.params)],
        "checksums": results.checksums,
        "several": not seeds.empty,
        "stale": results.stale,
        "stored": all(_is_one_of(seeds, name, results) for name in _RECOGNISED),
    }


def _is_one_of(seeds: pd.DataFrame, name: str, results: Results) -> bool:
    """Whether a run has a metric's value of the training with its seed; True where that is not known."""
    value = stored(results.metrics, *METRICS[name][:2])
    if value is None or name not in seeds or len(seeds[[name]].dropna()) < 2:
        return True
    return mean_with(seeds, name, results.params["seed"], value) is not None
