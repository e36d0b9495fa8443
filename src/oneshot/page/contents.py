"""What the page shows, section by section."""

from oneshot.page.results import Results
from oneshot.page.sections import (
    digits,
    draw,
    making,
    margin,
    nets,
    one_shot,
    pairs,
    projections,
    samples,
    test_results,
    training,
    trial,
)

# In the order of the page; each module's section(results) returns what the template asks for by name, and possibly
# "charts" and "sheets" (contact sheets of images), by names of their own.
SECTIONS = (trial, samples, nets, training, test_results, draw, projections, one_shot, pairs, digits, margin, making)


def contents(results: Results) -> dict:
    """Compute all that the page's template asks for."""
    page: dict = {"charts": {}, "sheets": {}}
    for module in SECTIONS:
        part = module.section(results)
        for kind in ("charts", "sheets"):
            page[kind] |= part.pop(kind, {})
        page |= part
    return page
