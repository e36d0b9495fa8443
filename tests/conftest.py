"""How `make test` shares the tests between two processes."""

import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give the tests that need the small pipeline's run to one process and all others to another.

    The run would otherwise be made once a process, and most of it waits for programs that start.
    """
    item.add_marker(pytest.mark.xdist_group("smoke" if "smoke_runs" in item.fixturenames else "others"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the small pipeline's run, which takes longest."""
    items.sort(key=lambda item: "smoke_runs" not in item.fixturenames)
