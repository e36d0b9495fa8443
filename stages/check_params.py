"""Check params.yaml: some stage reads every name, every value is valid, and the values fit together."""

from oneshot.core.params import Schema
from oneshot.core.stage import run


class Params(Schema):
    """This stage reads no parameter: `run` checks all of them."""


def main(_params: Params) -> None:
    """Do nothing: `run` has checked everything."""


if __name__ == "__main__":
    run(main, Params)
