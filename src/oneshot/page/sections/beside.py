"""Table rows that compare a value with the report's."""


def row(name: str, report: float | None, here: float | None, interval: float | None = None) -> dict:
    """Make a row that compares a value with the report's: name, report, here, interval, difference; None if unknown."""
    difference = None if report is None or here is None else here - report
    return {"name": name, "report": report, "here": here, "interval": interval, "difference": difference}
