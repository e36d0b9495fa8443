"""How the results were made: spread over trainings, minutes, parameters, data."""

import json

from oneshot.core.keys import flat
from oneshot.page.results import EMBEDDINGS, Results
from oneshot.page.spread import spread


def section(results: Results) -> dict:
    """Compute "parameters", "checksums", "seeds", "minutes" and "stale" (the revision of each stale table)."""
    seeds, thorough = (spread(table).set_index("metric") for table in (results.seeds, results.seeds_thorough))
    # The thorough recipe is one for the ConvNets: the digit nets are the same.
    thorough = thorough.loc[[not any(net in metric for net in EMBEDDINGS) for metric in thorough.index]]
    both = seeds.join(thorough.add_suffix("_thorough")).reset_index().astype(object)
    return {
        "parameters": [(key, json.dumps(value)) for key, value in flat(results.params)],
        "checksums": results.checksums,
        # A single training has no deviation.
        "seeds": both.where(both.notna(), None).to_dict("records"),
        "minutes": results.minutes.to_dict("records"),
        "stale": results.stale,
    }
