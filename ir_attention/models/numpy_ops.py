"""Operations in NumPy within TensorFlow's graph, each with a gradient of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from ir_attention.backend import keras, load_tensorflow
from ir_attention.threads import one_blas_thread

__all__ = ["numpy_op", "packs"]

ops = keras.ops

Arrays = dict[str, np.ndarray]


@cache
def packs() -> bool:
    """Whether layers run packed: on TensorFlow's CPU, where NumPy is quicker than its kernels.

    Elsewhere sequences are padded to rectangles, without a mask inside, which is what the fused
    kernels of a GPU want. A layer's `packed` decides otherwise.
    """
    if keras.backend.backend() != "tensorflow":
        return False
    return not load_tensorflow().config.get_visible_devices("GPU")


def numpy_op(
    there: Callable[[Arrays, Arrays], list[np.ndarray]],
    back: Callable[[list[np.ndarray], Arrays, Arrays, np.ndarray], Arrays],
    floats: Mapping[str, Any],
    given: Mapping[str, Any],
    widths: Sequence[tuple[int, ...]],
) -> list[Any]:
    """An operation in NumPy, in TensorFlow's graph, with its own gradient.

    Half precision is computed in float32, and every product in one BLAS thread. There is no
    gradient of the gradient.

    Args:
        there: From `floats` and `given`, by name, to the outputs, and behind them an array with
            what the way back needs.
        back: From the gradients of the outputs, both, and that array, to the gradients of `floats`
            by name; one that is left out is 0.
        floats: What has a gradient. The first decides on the type of the outputs.
        given: Whole numbers, and floats that have none. Those that are None are left out.
        widths: The shape of each output after its first axis.
    """
    tf = load_tensorflow()
    names, values = list(floats), [ops.convert_to_tensor(one) for one in floats.values()]
    own = values[0].dtype
    dtype = "float64" if own == tf.float64 else "float32"
    rest = {name: ops.convert_to_tensor(one) for name, one in given.items() if one is not None}
    rest = {n: tf.cast(one, dtype) if one.dtype.is_floating else one for n, one in rest.items()}

    def named(arrays: Sequence[np.ndarray]) -> tuple[Arrays, Arrays]:
        own = dict(zip(names, arrays, strict=False))
        return own, dict(zip(rest, arrays[len(names) :], strict=True))

    def run_there(*arrays: np.ndarray) -> list[np.ndarray]:
        with one_blas_thread():
            return there(*named(arrays))

    def run_back(*arrays: np.ndarray) -> list[np.ndarray]:
        gradients, kept, arrays = (
            arrays[: len(widths)],
            arrays[len(widths)],
            arrays[len(widths) + 1 :],
        )
        with one_blas_thread():
            found = back(list(gradients), *named(arrays), kept)
        return [
            np.ascontiguousarray(found.get(name, np.zeros_like(one)))
            for name, one in zip(names, arrays, strict=False)
        ]

    @tf.custom_gradient
    def run(*floats: Any) -> Any:
        arrays = [*floats, *rest.values()]
        types = [dtype] * (len(widths) + 1)
        *outputs, kept = tf.numpy_function(run_there, arrays, types, stateful=False)
        for one, width in zip(outputs, widths, strict=True):
            one.set_shape((None, *width))

        def gradient(*given: Any) -> Any:
            dense = [tf.convert_to_tensor(one) for one in given]  # those of a gather are sparse
            found = tf.numpy_function(
                run_back, [*dense, kept, *arrays], [dtype] * len(floats), stateful=False
            )
            for one, like in zip(found, floats, strict=True):
                one.set_shape(like.shape)
            return found

        return outputs, gradient

    return [tf.cast(one, own) for one in run(*(tf.cast(one, dtype) for one in values))]
