"""Check params.yaml before a run: the key that no stage reads would otherwise pass unnoticed by DVC."""

import sys

from oneshot import params
from oneshot.errors import UserError


def main() -> None:
    """Check all of params.yaml against the schemas of all stages; end with one sentence for the first mistake."""
    try:
        params.check(params.read(), params.stage_schemas())
    except UserError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
