"""Measure what training at a smaller side gains from a net of that side (convnet/sides.py), in pairs.

Both steps give the same function: that of the full net sums the dense layer's kernel over the copies of a cell in each
step, the other has the sums as its weights. What is compared is processor time, over all threads, which other work on
the machine disturbs less than the time on a clock; the two take turns.
"""

import argparse
import statistics
import time

from oneshot.convnet import losses, training
from oneshot.convnet.params import ConvnetParams
from oneshot.convnet.sides import move, net_of_side
from oneshot.core import environment, params
from oneshot.core.environment import ComputeParams


def seconds_of(call, times: int) -> float:
    """Processor seconds of one call, on average."""
    start = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - start) / times


def main() -> None:
    """Print, for each side, both steps, their ratio in each pair, and what moving the weights costs per epoch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20, help="in each half of a pair")
    options = parser.parse_args()
    environment.enter(ComputeParams(threads=2, instructions="portable"))
    import numpy as np

    from oneshot.training.tensorflow import tf

    recipe = ConvnetParams.model_validate(params.read()["convnet"]).recipe_of("6-class")
    rng = np.random.default_rng(0)
    for side in sorted({side for side, _ in recipe.sides()} - {32}):
        full = training.build(6, recipe, "auto")
        nets = {"full": full, "own": net_of_side(full, side)}
        images = tf.constant(rng.normal(size=(recipe.batch, side, side, 3)).astype(np.float32))
        batch = images, tf.constant(rng.integers(6, size=recipe.batch).astype(np.int32))
        calls = {}
        for name, model in nets.items():
            optimizer = training.make_optimizer(model, recipe, 100_000)
            cells = losses.cell_classifier(model)
            optimizer.build([*model.trainable_variables, cells])
            step = training.make_step(model, optimizer, recipe, frozen=1, cells=cells)
            calls[name] = lambda step=step, batch=batch: float(step(*batch)["loss"])
            seconds_of(calls[name], 2)
        times = {name: [] for name in calls}
        for pair in range(options.pairs):
            for name in list(calls)[:: 1 if pair % 2 else -1]:
                times[name].append(seconds_of(calls[name], options.steps))
        ratios = [own / whole for own, whole in zip(times["own"], times["full"], strict=True)]
        moved = 2 * seconds_of(lambda nets=nets: move(nets["full"].variables, nets["own"].variables), 3)
        whole, own = (statistics.median(found) for found in times.values())
        print(f"side {side}: {whole:.3f} s of processors per step of the full net, {own:.3f} s of its own")
        print(f"    own / full, by pair: {', '.join(f'{ratio:.3f}' for ratio in ratios)}")
        print(f"    moving the weights: {moved:.2f} s per epoch, without those of the optimizer", flush=True)


if __name__ == "__main__":
    main()
