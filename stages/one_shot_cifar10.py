"""Classify the unseen CIFAR-10 classes from few examples: by the report's protocol, and by methods in many episodes."""

from pydantic import model_validator

from oneshot.core.environment import ComputeParams
from oneshot.core.params import Schema, Seed
from oneshot.core.stage import run
from oneshot.evaluation.params import OneShotParams, PictureParams
from oneshot.splits.params import UnseenClassParams


class Params(Schema):
    """The parameters that this stage reads."""

    compute: ComputeParams
    seed: Seed
    cifar10: UnseenClassParams
    one_shot: OneShotParams
    pictures: PictureParams

    @model_validator(mode="after")
    def _perplexity_fits(self):
        pictured = self.pictures.images_per_class * len(self.cifar10.unseen_classes)
        if self.pictures.perplexity >= pictured:
            raise ValueError(
                f"pictures.perplexity must be less than the number of pictured images, {pictured}, but is"
                f" {self.pictures.perplexity:g}: lower it or raise pictures.images_per_class"
            )
        return self


def main(params: Params) -> str:
    """Write the metrics, and the tables that the pictures are drawn from."""
    from oneshot.core import files
    from oneshot.datasets import cifar10
    from oneshot.evaluation import confusion, few_shot, report_protocol
    from oneshot.evaluation.episodes import choose_images, require_features, require_images
    from oneshot.evaluation.projections import projections
    from oneshot.evaluation.transforms import task_of

    classes, one_shot, pictures, seed = params.cifar10.unseen_classes, params.one_shot, params.pictures, params.seed
    data = files.read_arrays("features/6-class")
    task = task_of(data, classes)
    labels, raw = task.labels, task.unseen["units"][0]
    for count, key in (
        (one_shot.images_per_class, "one_shot.images_per_class"),
        (max(one_shot.shots) + 1, "one_shot.shots and at least one query"),
        (pictures.images_per_class, "pictures.images_per_class"),
    ):
        require_images(labels, classes, count, key, "cifar10.limit_per_class")
    shown = choose_images(labels, classes, pictures.images_per_class, seed, "pictures")
    for features in (raw, raw[shown]):
        require_features(features, "6-class")

    protocol = {"images_per_class": one_shot.images_per_class, "draws": one_shot.draws, "seed": seed}
    draws = report_protocol.run(raw, labels, classes, **protocol)
    many = {"shots": one_shot.shots, "seed": seed}
    sampled = few_shot.sample(labels, classes, episodes=one_shot.episodes, queries=one_shot.queries, **many)
    methods = few_shot.compare_methods(task, one_shot.methods, sampled)
    sampled = few_shot.sample(labels, classes, episodes=one_shot.transductive_episodes, **many)
    together = few_shot.compare_transductive(task, one_shot.transductive_methods, sampled)
    points = projections(raw[shown], labels[shown], cifar10.NAMES, pictures.perplexity, seed)

    metrics = {
        "report_protocol": confusion.accuracy_metrics(draws.confusions),
        "episodes": few_shot.method_metrics(methods),
        "transductive": few_shot.method_metrics(together),
    }
    files.write_json("metrics/one_shot_cifar10.json", metrics)
    names = [cifar10.NAMES[label] for label in classes]
    files.write_csv("plots/one_shot_cifar10/confusion.csv", confusion.to_table(draws.confusions.sum(0), names))
    files.write_csv("plots/one_shot_cifar10/methods.csv", methods)
    files.write_csv("plots/one_shot_cifar10/transductive.csv", together)
    files.write_csv("plots/one_shot_cifar10/scatter.csv", points)
    found = metrics["report_protocol"]["accuracy"]
    return f"{len(classes)} unseen classes, one example of each, by the report's protocol: accuracy {found:.3f}"


if __name__ == "__main__":
    run(main, Params)
