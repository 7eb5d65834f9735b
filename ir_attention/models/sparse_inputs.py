"""DSSM and CDSSM on sparse counts: the same layers and weights, without a column of zeros each.

A text has some forty of ten thousand trigrams. MatchZoo feeds all of the columns, and most of a
step goes into products with zeros; here the first layer multiplies what is there.
"""

from __future__ import annotations

from typing import Any

from ir_attention.backend import keras, load_tensorflow

__all__ = ["sparse_tensor", "sparse_twin"]


def sparse_twin(model: Any) -> Any:
    """A Keras model of the same layers, whose inputs are sparse.

    Args:
        model: Of MatchZoo, whose inputs of counts go into `Dense` layers, `(batch, trigrams)`, or
            into `Conv1D` layers with stride 1 and padding `same`, `(batch, steps, trigrams)`.

    Returns:
        A model with inputs of the same names, which takes a `tf.SparseTensor` for each and gives
        the same numbers but for their last digits. Its weights are the model's own variables.
    """
    inputs = [
        keras.Input(tensor.shape[1:], sparse=True, name=tensor.name) for tensor in model.inputs
    ]

    def same(layer: Any) -> Any:
        return _SparseConv(layer) if isinstance(layer, keras.layers.Conv1D) else layer

    return keras.models.clone_model(model, input_tensors=inputs, clone_function=same)


def sparse_tensor(counts: Any, shape: tuple[int, ...]) -> Any:
    """A sparse matrix of SciPy as a `tf.SparseTensor`, its rows laid out as `shape` begins.

    Args:
        counts: `(rows, trigrams)`, csr.
        shape: `(rows, trigrams)`, or `(texts, steps, -1)` with as many rows.
    """
    import numpy as np

    tf = load_tensorflow()
    counts = counts.sorted_indices()
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    places = [rows] if len(shape) == 2 else list(np.divmod(rows, shape[1]))
    indices = np.stack([*places, counts.indices], axis=1).astype(np.int64)
    return tf.SparseTensor(indices, counts.data, (*shape[:-1], counts.shape[1]))


class _SparseConv(keras.layers.Layer):
    """A `Conv1D` with stride 1 and padding `same`, of sparse steps; the weights are the layer's."""

    def __init__(self, layer: Any) -> None:
        super().__init__(name=f"{layer.name}_sparse")
        self.layer = layer
        self.built = True

    def compute_output_spec(self, inputs: Any) -> Any:
        shape = (*inputs.shape[:-1], self.layer.filters)
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def call(self, inputs: Any) -> Any:
        tf, layer = load_tensorflow(), self.layer
        taps, trigrams, filters = layer.kernel.shape
        steps = inputs.shape[1]
        flat = tf.sparse.reshape(inputs, (-1, trigrams))
        kernel = tf.reshape(tf.transpose(layer.kernel, (1, 0, 2)), (trigrams, taps * filters))
        products = tf.sparse.sparse_dense_matmul(flat, kernel)
        products = tf.reshape(products, (-1, steps, taps, filters))
        # What the step `tap - before` places further on gives to each.
        before = (taps - 1) // 2
        padded = tf.pad(products, ((0, 0), (before, taps - 1 - before), (0, 0), (0, 0)))
        sums = tf.add_n([padded[:, tap : tap + steps, tap] for tap in range(taps)])
        return layer.activation(sums + layer.bias)
