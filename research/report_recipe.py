"""Train the 10-class net by the report's recipe, for 20 epochs, and by ours, and keep the minutes of each epoch."""

import time

import pandas as pd
import study
from pipeline import change, settings_of

from oneshot.convnet.params import Recipe
from oneshot.core import environment, files, params
from oneshot.training.checkpoint import Checkpoint

# Name of a training: its recipe, and what is changed in it.
TRAININGS = {
    "ours": ("default", []),
    "report": ("report", ["convnet.resolution_schedule.ten_class=[[32,20]]"]),
}


class TimedCheckpoint(Checkpoint):
    """Adds to the metrics of each epoch the minutes until its end, without those between interruptions."""

    def restore(self):
        """Also start the clock."""
        stored = super().restore()
        self._before, self._start = stored[2][-1]["minutes"] if stored else 0.0, time.monotonic()
        return stored

    def save(self, epoch, arrays, history):
        """Also add the minutes."""
        history[-1]["minutes"] = self._before + (time.monotonic() - self._start) / 60
        super().save(epoch, arrays, history)


def recipe_of(training: str, tree: dict) -> Recipe:
    """The 10-class net's recipe in one of TRAININGS; tree: params.yaml."""
    recipe, changes = study.chosen("training", training, TRAININGS)
    return params.validate(change(tree, settings_of(recipe) + changes), study.Params).convnet.recipe_of("10-class")


def train(training: str) -> None:
    """Train, and write the metrics of each epoch and the last one's test metrics; interrupted, it resumes."""
    recipe, settings = recipe_of(training, params.read()), study.enter()
    from oneshot.convnet import inference, net
    from oneshot.convnet import training as convnet
    from oneshot.datasets import cifar10
    from oneshot.training.tensorflow import seed_initialisation

    rows: list[dict] = []

    def add(metrics: dict[str, float]) -> None:
        rows.append({"epoch": len(rows) + 1} | {name.replace("/", "_"): value for name, value in metrics.items()})

    convolution, precision = settings.convnet.convolution, settings.compute.precision
    convnet.check_precision(precision)
    parts = cifar10.read("data/raw/cifar10").parts(files.read_arrays("data/splits/10-class"))
    sets = parts["train"], parts["validation"]
    seed_initialisation(settings.seed)
    model = convnet.build(10, recipe, convolution, precision)
    fixed = recipe.model_dump_json(), settings.model_dump_json(), str(inference.use_winograd(convolution))
    determinants = *fixed, environment.determinants(settings.compute), *sets[0], *sets[1]
    checkpoint = TimedCheckpoint(study.scratch("report_recipe", training), "net", *determinants)
    convnet.train(model, *sets, recipe, seed=settings.seed, checkpoint=checkpoint, on_epoch=add)
    found = inference.test_metrics(inference.accelerate(net.fold(model), convolution), parts["test"])["test"]
    rows[-1] |= {f"test_{name}": value for name, value in found.items()}
    study.write_part("report_recipe", training, pd.DataFrame(rows).assign(training=training))


if __name__ == "__main__":
    study.main(__doc__, train, lambda: study.write_table("report_recipe", study.parts("report_recipe")))
