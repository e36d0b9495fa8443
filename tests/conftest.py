"""How `make test` shares the tests between two processes: `pytest -n 2 --dist loadgroup`."""

import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    """Keep the tests that need the small pipeline's run in one process, or each process would make that run.

    This hook is called before xdist's own look at the groups, in pytest_collection_modifyitems.
    """
    if "smoke_runs" in item.fixturenames:
        item.add_marker(pytest.mark.xdist_group("smoke"))
