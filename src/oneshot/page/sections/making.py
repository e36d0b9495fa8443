"""How the results were made: spread over trainings, minutes, parameters, data."""

import json

from oneshot.core.keys import flat
from oneshot.page.results import Results
from oneshot.page.studies import Table, all_metrics


def section(results: Results) -> dict:
    """Compute the tables "metrics" and "minutes" (if recorded), "parameters", "checksums", "several" (whether there are
    trainings with several seeds) and "stale" (the revision of each stale table)."""
    seeds, thorough = results.study("seeds"), results.study("seeds_thorough")
    tables = {"metrics": all_metrics(results.metrics, seeds, thorough, results.params["cifar10"])}
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
    }
