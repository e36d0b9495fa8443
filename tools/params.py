"""Check params.yaml before a run: the key that no stage reads would otherwise pass unnoticed by DVC."""

from oneshot import params
from oneshot.errors import run


def main() -> None:
    """Check all of params.yaml against the schemas of all stages; raises UserError for the first mistake."""
    params.check(params.read(), params.stage_schemas())


if __name__ == "__main__":
    run(main)
