"""The contents of the page, section by section."""

from oneshot.page import studies
from oneshot.page.results import Results
from oneshot.page.sections import (
    conclusions,
    digits,
    drawing,
    episode,
    making,
    margin,
    nets,
    one_shot,
    pairs,
    projections,
    report_recipe,
    samples,
    test_results,
    training,
    trial,
)

# In the order of the page. Each module's section(results) returns values for the template by name and, if it has any,
# "charts", "sheets" (contact sheets of images) and "tables": {name: chart, sheet or table}.
SECTIONS = (
    trial,
    drawing,
    samples,
    nets,
    training,
    test_results,
    report_recipe,
    episode,
    projections,
    one_shot,
    pairs,
    digits,
    margin,
    conclusions,
    making,
)


def contents(results: Results) -> dict:
    """Compute everything that the page's template uses."""
    page: dict = {"charts": {}, "sheets": {}, "tables": studies.shown(results.studies)}
    for module in SECTIONS:
        part = module.section(results)
        for kind in ("charts", "sheets", "tables"):
            page[kind] |= part.pop(kind, {})
        page |= part
    return page
