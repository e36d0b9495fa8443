"""Draw the tables of plots/ as PNG pictures."""

from oneshot.core.params import Schema
from oneshot.core.stage import run

# Titles of pictures whose folder does not have the name of a net.
TITLES = {"one_shot_cifar10": "CIFAR-10, unseen classes"}


class Params(Schema):
    """This stage reads no parameters."""


def main(_params: Params) -> None:
    """Write plots/pictures: confusion matrices and scatter plots."""
    from pathlib import Path

    import pandas as pd

    from oneshot.core import files
    from oneshot.plotting.figures import by_part, draw_confusion, draw_scatter

    for folder in [path.parent for path in files.visible("plots", "one_shot_*/**/confusion.csv")]:
        target = Path("plots/pictures", folder.relative_to("plots"))
        title = TITLES.get(folder.name, folder.name)
        panels = by_part(pd.read_csv(folder / "confusion.csv"), title)
        files.write_bytes(target / "confusion.png", draw_confusion(panels))
        panels = by_part(pd.read_csv(folder / "scatter.csv"), title)
        files.write_bytes(target / "scatter.png", draw_scatter(panels, one_space="mnist" in str(folder)))


if __name__ == "__main__":
    run(main, Params)
