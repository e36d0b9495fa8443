"""How `make test` shares the tests between two processes: `-m smoke` in one, `-m "not smoke"` in another."""

import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the tests that need the small pipeline's run: made once, while the others run beside it."""
    if "smoke_runs" in item.fixturenames:
        item.add_marker(pytest.mark.smoke)
