"""How the results were made: spread over trainings, minutes, parameters, data."""

import json
from collections.abc import Iterator, Mapping

from oneshot.page.results import Results


def section(results: Results) -> dict:
    """Compute "parameters", "checksums", "seeds" and "minutes"."""
    seeds = results.seeds.loc[:, ["metric", "mean", "deviation", "trainings"]].astype(object)
    return {
        "parameters": list(_flat(results.params)),
        "checksums": results.checksums,
        # A single training has no deviation.
        "seeds": seeds.where(seeds.notna(), None).to_dict("records"),
        "minutes": results.minutes.to_dict("records"),
    }


def _flat(tree: Mapping, prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", json.dumps(value)
