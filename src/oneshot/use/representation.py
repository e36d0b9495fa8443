"""Many images to vectors: read, prepared and represented in batches, so that thousands take no more memory than one."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from oneshot.training.progress import progress
from oneshot.use.mistakes import InputError
from oneshot.use.nets import Net
from oneshot.use.reading import Source, read, shown

# Images that are held at one time, prepared: 12 MB.
_BATCH = 4096
# A progress bar for fewer would be gone at once.
_MANY = 50


def represent(net: Net, sources: Sequence[Source]) -> np.ndarray:
    """Represent images, under a progress bar if they are many: (n, d) float32.

    sources: files, PIL images or arrays, see `reading.read`. All are looked at before an error is raised: InputError
    names the first that cannot be used, and how many there are.
    """
    vectors, inputs, errors = [], [], []
    numbered = progress(
        enumerate(sources), total=len(sources), desc="reading", unit="image", disable=len(sources) < _MANY
    )
    for number, source in numbered:
        name = shown(source) if isinstance(source, (str, Path)) else f"image {number} of those given"
        try:
            inputs.append(_prepared(net, source, name))
        except InputError as error:
            errors.append(str(error))
        if not errors and len(inputs) == _BATCH:
            vectors.append(net.represent(np.stack(inputs)))
        if errors or len(inputs) == _BATCH:
            inputs.clear()
    if errors:
        more = f" (and {len(errors) - 1:,} more of {len(sources):,} images cannot be used)" if len(errors) > 1 else ""
        raise InputError(errors[0] + more)
    if inputs:
        vectors.append(net.represent(np.stack(inputs)))
    return np.concatenate(vectors)


def _prepared(net: Net, source: Source, name: str) -> np.ndarray:
    image = read(source, name)
    try:
        return net.prepare(image)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
