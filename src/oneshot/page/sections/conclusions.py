"""The conclusions, in sentences."""

from oneshot.page import reported
from oneshot.page.conclusions import of_siamese_nets, sentences
from oneshot.page.metrics import PROTOCOL
from oneshot.page.results import EMBEDDINGS, Results


def section(results: Results) -> dict:
    """Compute the sentences "conclusions"."""
    digits = {net: results.confusion[net] for net in EMBEDDINGS}
    protocol = results.metrics["one_shot_cifar10"]["report_protocol"]
    mean = results.mean_with_others(*PROTOCOL[:2], protocol["accuracy"])
    siamese = of_siamese_nets(results.metrics)
    tables = results.methods, results.together, results.confusion["one_shot_cifar10"], digits, siamese
    comparable = reported.same_task(results.params["cifar10"])
    found = sentences(protocol, *tables, mean, comparable=comparable)
    return {"conclusions": found}
