"""Check all of params.yaml: every name is known to a stage, every value is valid, and they fit together."""

from oneshot.core.params import Schema
from oneshot.core.stage import run


class Params(Schema):
    """This stage reads no parameter: `run` checks all of them."""


def main(_params: Params) -> None:
    """Do nothing more."""


if __name__ == "__main__":
    run(main, Params)
