"""Use the trained nets on images of your own: `python -m oneshot classify` and `python -m oneshot evaluate`."""

import argparse
import errno
import os
import sys

from oneshot.core.environment import ComputeParams, enter
from oneshot.core.errors import UserError

_EPILOG = "Run it in the project's root; docs/use.md has examples."


def main() -> None:
    """Run the command line: status 1 and one sentence on a user's mistake, 130 on Ctrl-C, 141 on a closed pipe.

    It runs under the environment of the pipeline's stages, for which the process replaces itself, so that the results
    do not depend on the user's settings.
    """
    try:
        _open_what_is_closed()
        enter(ComputeParams(threads=2, instructions="portable"))
        _run()
        sys.stdout.flush()
    except UserError as error:
        sys.exit(f"error: {error}")
    except BrokenPipeError:
        # What is still in the buffer must not be tried once more when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(141)
    except PermissionError as error:
        sys.exit(f"error: no permission to use {error.filename}: change its owner or mode, or give another path")
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.ENAMETOOLONG, errno.EROFS, errno.ENOTDIR):
            raise
        place = error.filename or "the output"
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(f"error: cannot write {place} ({error.strerror}): give another path")
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        sys.exit(130)


def _run() -> None:
    from oneshot.use import nets

    parser = argparse.ArgumentParser(prog="python -m oneshot", description=__doc__, epilog=_EPILOG)
    commands = parser.add_subparsers(dest="command", required=True)

    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--net",
        choices=nets.NAMES,
        default=nets.CONVNET,
        help=f"{nets.CONVNET} (the default) for photographs, the others for drawings of digits and signs",
    )
    common.add_argument(
        "--method",
        choices=nets.METHODS,
        help=f"transform of the representations; {nets.default_method(nets.CONVNET)} is the default of the"
        f" {nets.CONVNET} net, raw that of the others, which also have maps_whitened (docs/metrics.md)",
    )

    text = "Classify images by one example of each class, or a few."
    one = commands.add_parser("classify", parents=[common], help=text, description=text)
    one.add_argument("examples", metavar="EXAMPLES", help="a folder with a folder of images per class")
    one.add_argument("images", metavar="IMAGES", nargs="+", help="files, or folders of images")
    one.add_argument("--csv", metavar="FILE", help="write the table as CSV")
    one.add_argument("--json", metavar="FILE", help="write the table as JSON")

    text = "Report how well the net tells your classes apart from 1, 2, 5 and 10 examples."
    other = commands.add_parser("evaluate", parents=[common], help=text, description=text)
    other.add_argument("folder", metavar="FOLDER", help="a folder with a folder of images per class, two each or more")
    other.add_argument(
        "--episodes", type=int, default=1000, help="random choices of the examples (default: %(default)s)"
    )
    other.add_argument("--seed", type=int, help="seed of these random choices (default: `seed` in params.yaml)")
    other.add_argument("--csv", metavar="FILE", help="write accuracy by number of examples as CSV")
    other.add_argument("--json", metavar="FILE", help="write accuracy by number of examples as JSON, for DVC's metrics")
    other.add_argument("--confusion", metavar="FILE", help="write the counts of the confusion matrix as CSV")
    other.add_argument(
        "--picture", metavar="FILE", help="draw accuracy by number of examples, and the confusion matrix, as PNG"
    )

    given = vars(parser.parse_args())
    command = given.pop("command")
    from oneshot.use import commands as use

    if command == "classify":
        use.classify(given.pop("examples"), given.pop("images"), **given)
    else:
        use.evaluate(
            given.pop("folder"), picture_file=given.pop("picture"), confusion_file=given.pop("confusion"), **given
        )


def _open_what_is_closed() -> None:
    """Let closed standard streams lead nowhere: the next file that is opened would stand in their place."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115


if __name__ == "__main__":
    main()
