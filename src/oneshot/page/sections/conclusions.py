"""The conclusions, in sentences."""

from oneshot.page.conclusions import sentences
from oneshot.page.results import Results


def section(results: Results) -> dict:
    """Compute the sentences "conclusions"."""
    tables = results.methods, results.together, results.confusion
    studies = results.study("seeds"), results.study("class_splits")
    return {"conclusions": sentences(results.params, results.metrics, *tables, *studies)}
