"""Classify images from one example of each class, or a few; see how well that works; look into an ONNX file."""

import argparse
import errno
import io
import os
import sys
import warnings

from oneshot.core import streams
from oneshot.core.errors import UserError, shown

_ENCODER = (
    "6-class or 10-class (photographs), siamese-2d, siamese-3d, dense-all or dense-seen (drawings), or an ONNX file"
)


def main() -> None:
    """Run the command line: status 1 and a sentence per mistake of the user, 130 on Ctrl-C, 141 on a closed pipe."""
    try:
        streams.open_closed()
        if isinstance(sys.stdout, io.TextIOWrapper):
            # As Python writes errors: the names of files may have letters that the terminal's encoding lacks.
            sys.stdout.reconfigure(errors="backslashreplace")
        # Pillow warns of slightly broken files that it reads all the same, and matplotlib of letters that it lacks.
        warnings.simplefilter("ignore")
        broken = _run()
        sys.stdout.flush()
        for sentence in broken:
            print(f"skipped: {sentence}", file=sys.stderr)
        sys.exit(1 if broken else 0)
    except UserError as error:
        sys.exit(f"error: {error}")
    except BrokenPipeError:
        # What is still in the buffer must not be tried once more when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(141)
    except PermissionError as error:
        sys.exit(f"error: no permission to use {shown(error.filename)}: change its owner or mode, or give another path")
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.ENAMETOOLONG, errno.EROFS, errno.ENOTDIR):
            raise
        place = shown(error.filename or "the output")
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(f"error: cannot write {place} ({error.strerror}): give another path")
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        sys.exit(130)


def _run() -> list[str]:
    """Parse the words and do what they say; return a sentence on each image that was skipped."""
    given = vars(_parser().parse_args())
    command = given.pop("command")
    if command == "fetch":
        from oneshot.encoders import catalogue

        print(f"{given['encoder']} is here: {catalogue.get(given['encoder'], given['address'])}")
        return []
    if command == "recipe":
        from oneshot.use import recipe

        print(recipe.write(given["folder"]))
        return []
    from oneshot.encoders.catalogue import find
    from oneshot.use import commands

    if command == "inspect":
        commands.inspect(given["file"])
        return []
    graph = {name: given.pop(name) for name in ("size", "output", "preprocess", "mean", "std")}
    if options := _options(**graph):
        from oneshot.encoders.encoder import Encoder

        given["encoder"] = Encoder(find(given["encoder"]), **options)
    if command == "classify":
        return commands.classify(given.pop("examples"), given.pop("images"), **given)
    renamed = {"picture_file": given.pop("picture"), "confusion_file": given.pop("confusion")}
    return commands.evaluate(given.pop("folder"), **renamed, **given)


def _options(*, size, output, preprocess, mean, std) -> dict:
    """The options of Encoder that were given."""
    if (mean is None) != (std is None) or (mean is not None and preprocess is not None):
        raise UserError("give --mean and --std together, or --preprocess")
    chosen = {"size": size, "output": output, "preprocess": (mean, std) if mean else preprocess}
    return {name: value for name, value in chosen.items() if value is not None}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="oneshot", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    graph = argparse.ArgumentParser(add_help=False)
    other = graph.add_argument_group("an ONNX file that is not of this project")
    other.add_argument("--size", type=int, metavar="PIXELS", help="side of the images, where the file leaves it open")
    other.add_argument("--output", metavar="NAME", help="which output, where there are several")
    other.add_argument("--preprocess", choices=("imagenet", "clip", "none"), help="scaling of pixels; none: 0 to 1")
    other.add_argument("--mean", type=float, nargs="+", help="of pixels from 0 to 1, one number or three; with --std")
    other.add_argument("--std", type=float, nargs="+", help="their deviation")

    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--encoder", "--net", default="6-class", metavar="NAME|FILE", help=f"{_ENCODER}; default: 6-class"
    )
    common.add_argument(
        "--method", metavar="NAME", help="transform of the vectors, of those that inspect lists; default: the best"
    )
    common.add_argument("--background", metavar="FOLDER", help="images of other classes, to centre and whiten by")
    common.add_argument("--csv", metavar="FILE", help="write the table as CSV; -: to standard output")
    common.add_argument("--json", metavar="FILE", help="write the table as JSON; -: to standard output")

    text = "Classify images, given one example of each class, or a few."
    one = commands.add_parser("classify", parents=[common, graph], help=text, description=text)
    one.add_argument("examples", metavar="EXAMPLES", help="a folder with a folder of images, or an image, per class")
    one.add_argument("images", metavar="IMAGES", nargs="+", help="files, or folders of images")

    text = "Report how well classes are distinguished, given 1, 2, 5 and 10 examples of each."
    two = commands.add_parser("evaluate", parents=[common, graph], help=text, description=text)
    two.add_argument("folder", metavar="FOLDER", help="a folder with a folder of images per class, two each or more")
    two.add_argument("--episodes", type=int, default=1000, help="random choices of the examples; default: %(default)s")
    two.add_argument("--seed", type=int, default=1, help="of these choices; default: %(default)s")
    two.add_argument("--confusion", metavar="FILE", help="write the counts of the confusion matrix as CSV")
    two.add_argument("--picture", metavar="FILE", help="draw both as PNG (needs matplotlib)")

    text = "Show what an ONNX file expects and returns."
    three = commands.add_parser("inspect", help=text, description=text)
    three.add_argument("file", metavar="NAME|FILE", help=_ENCODER)

    text = "Fetch an encoder for photographs, 70 MB, into the user's cache, once a release has published it."
    four = commands.add_parser("fetch", help=text, description=text)
    four.add_argument("encoder", metavar="NAME", help="6-class or 10-class")
    four.add_argument("--from", dest="address", metavar="URL", help="of a folder that has NAME.onnx, instead")

    text = "Write a DVC pipeline that evaluates your own classes."
    five = commands.add_parser("recipe", help=text, description=text)
    five.add_argument(
        "folder", metavar="FOLDER", help="a new folder, or one without a pipeline, in a Git repository with DVC"
    )
    return parser


if __name__ == "__main__":
    main()
