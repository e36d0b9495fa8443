"""How the results were made: spread over trainings, minutes, parameters, data."""

import json
from collections.abc import Iterator, Mapping

from oneshot.page.results import EMBEDDINGS, Results
from oneshot.page.spread import spread


def section(results: Results) -> dict:
    """Compute "parameters", "checksums", "seeds" and "minutes"."""
    seeds, thorough = (spread(table).set_index("metric") for table in (results.seeds, results.seeds_thorough))
    # The thorough recipe is one for the ConvNets: the digit nets are the same.
    thorough = thorough.loc[[not any(net in metric for net in EMBEDDINGS) for metric in thorough.index]]
    both = seeds.join(thorough.add_suffix("_thorough")).reset_index().astype(object)
    return {
        "parameters": list(_flat(results.params)),
        "checksums": results.checksums,
        # A single training has no deviation.
        "seeds": both.where(both.notna(), None).to_dict("records"),
        "minutes": results.minutes.to_dict("records"),
    }


def _flat(tree: Mapping, prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", json.dumps(value)
