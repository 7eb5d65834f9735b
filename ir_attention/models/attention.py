"""Additive attention from scratch, as Keras layers: pooling a sequence, and one over another.

Shapes are written with the same names everywhere: batch, sents (sentences in a document), steps
(words in a sentence or sentences in a document), rows and cols (steps of the attending and of the
attended sequence), width (features of one step), units (size of the attention).
"""

from __future__ import annotations

from typing import Any

from ir_attention.backend import keras

__all__ = [
    "AdditiveAttention",
    "AttentionPool",
    "additive_scores",
    "check_units",
    "masked_softmax",
    "own_initializer",
    "real_steps",
    "weighted_sum",
]

ops = keras.ops


def masked_softmax(logits: Any, mask: Any = None, axis: int = -1) -> Any:
    """Softmax over the entries that `mask` leaves in; 0 at the others, all 0 if none is left.

    The largest *kept* logit is subtracted first: a huge logit does not overflow, a huge masked
    one does not underflow the rest. The sum is then at least 1, or exactly 0, and dividing by at
    least 1 needs no epsilon. Half precision is computed in float32; what has overflowed in float16
    counts as the largest number there is.

    Args:
        logits: Floats of any shape.
        mask: Booleans that broadcast to `logits`; False is left out. Default: all are kept.
        axis: The axis that sums to 1.
    """
    dtype = keras.backend.standardize_dtype(logits.dtype)
    logits = ops.cast(logits, keras.backend.result_type(dtype, "float32"))
    if dtype == "float16":
        logits = ops.clip(logits, -65504.0, 65504.0)
    if mask is None:
        mask = ops.ones_like(logits, dtype="bool")
    lowest = -3.0e38  # of no entries too
    top = ops.max(ops.where(mask, logits, lowest), axis=axis, keepdims=True, initial=lowest)
    powers = ops.exp(ops.where(mask, logits - ops.stop_gradient(top), 0.0))
    powers = powers * ops.cast(mask, powers.dtype)
    total = ops.sum(powers, axis=axis, keepdims=True)
    return ops.cast(powers / ops.maximum(total, 1.0), dtype)


@keras.saving.register_keras_serializable("ir_attention")
class AttentionPool(keras.layers.Layer):
    """Pools a sequence into one vector: a learned, weighted mean of its steps.

    `hidden = f(inputs @ W + b)`, `(..., steps, units)`; `weights = softmax(hidden @ u)` over the
    steps, `(..., steps)`; the output is the sum of `weights * inputs`, `(..., width)`. This is the
    attention over words and over sentences of Yang et al. (2016), equations 5-7 and 8-10; with
    `activation="linear"` the score of Chen et al. (2016), `inputs @ W @ u + c` with `c = b @ u`.
    With `projection=False` and `output_activation="tanh"` it is that of Zhou et al. (2016, relation
    classification), equations 9-12: `hidden = tanh(inputs)`, and tanh of the sum. What is summed is
    `inputs`, not `hidden`.

    Masking: uses the mask of its input and passes none on, as the steps are gone. A masked step
    has weight exactly 0 and no say in the output, even if it holds NaN; a sequence with every step
    masked gives weights and output of 0 (`output_activation` of 0), never NaN.

    Args:
        units: Width of `hidden`, a positive integer. Default: the width of the input.
        activation: `f`, any Keras activation.
        use_bias: Whether there is a `b`; `bias` is another name of it.
        return_weights: Whether a call returns the weights too; `return_attention` is another name.
        projection: Whether there are `W` and `b`. Without them `units` must be None.
        output_activation: Of the output, any Keras activation. Default: none.
        initializer: Of `W` and `u`, where they have none of their own.
        W_initializer: Of `W`.
        u_initializer: Of `u`.
        b_initializer: Of `b`.
        W_regularizer: Of `W`, any Keras regularizer, as are those of `u` and of `b`.
        u_regularizer: Of `u`.
        b_regularizer: Of `b`.
        W_constraint: Of `W`, any Keras constraint, as are those of `u` and of `b`.
        u_constraint: Of `u`.
        b_constraint: Of `b`.

    Call arguments:
        inputs: Floats, `(..., steps, width)`; every axis before the last two is a batch.
        mask: Booleans, `(..., steps)`; False is padding. Default: no padding.

    Returns:
        Floats, `(..., width)`; with `return_weights` a pair, of this and `(..., steps)`.

    The weights alone, of a layer as it is, are `layer.attention(inputs, mask)`. A model saved as
    `.keras` loads without `custom_objects` once any name of `ir_attention.models` is imported.

    Example:

    >>> pool = AttentionPool(units=8)
    >>> tuple(pool(keras.ops.ones((2, 5, 3))).shape)
    (2, 3)
    """

    def __init__(
        self,
        units: int | None = None,
        activation: Any = "tanh",
        *,
        use_bias: bool = True,
        return_weights: bool = False,
        projection: bool = True,
        output_activation: Any = None,
        initializer: Any = "glorot_uniform",
        W_initializer: Any = None,
        u_initializer: Any = None,
        b_initializer: Any = "zeros",
        W_regularizer: Any = None,
        u_regularizer: Any = None,
        b_regularizer: Any = None,
        W_constraint: Any = None,
        u_constraint: Any = None,
        b_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        self.use_bias = kwargs.pop("bias", use_bias)
        self.return_weights = kwargs.pop("return_attention", return_weights)
        super().__init__(**kwargs)
        if units is not None:
            check_units(units)
            if not projection:
                raise ValueError(
                    "`units` must be None without a projection, which is what they are the width "
                    f"of. Received: units={units!r}, projection={projection!r}"
                )
        self.units, self.projection = units, projection
        self.activation = keras.activations.get(activation)
        self.output_activation = keras.activations.get(output_activation)
        self.initializer = keras.initializers.get(initializer)
        self.W_initializer = keras.initializers.get(W_initializer)
        self.u_initializer = keras.initializers.get(u_initializer)
        self.b_initializer = keras.initializers.get(b_initializer)
        self.W_regularizer = keras.regularizers.get(W_regularizer)
        self.u_regularizer = keras.regularizers.get(u_regularizer)
        self.b_regularizer = keras.regularizers.get(b_regularizer)
        self.W_constraint = keras.constraints.get(W_constraint)
        self.u_constraint = keras.constraints.get(u_constraint)
        self.b_constraint = keras.constraints.get(b_constraint)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        width = input_shape[-1]
        units = self.units or width
        self.W = self._weight("W", (width, units)) if self.projection else None
        self.b = self._weight("b", (units,)) if self.projection and self.use_bias else None
        # A column, since glorot's bounds come from the sizes of a matrix.
        self.u = self._weight("u", (units, 1))

    def _weight(self, name: str, shape: tuple[int, ...]) -> Any:
        own = getattr(self, f"{name}_initializer")
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=own or own_initializer(self.initializer, "Wbu".index(name)),
            regularizer=getattr(self, f"{name}_regularizer"),
            constraint=getattr(self, f"{name}_constraint"),
        )

    def logits(self, inputs: Any) -> Any:
        """The scores before the softmax, `(..., steps)`."""
        hidden = inputs if self.W is None else ops.matmul(inputs, self.W)
        if self.b is not None:
            hidden = hidden + self.b
        return ops.squeeze(ops.matmul(self.activation(hidden), self.u), axis=-1)

    def attention(self, inputs: Any, mask: Any = None) -> Any:
        """The weights alone, `(..., steps)`, without another model.

        A mask that Keras has attached to `inputs` is used in calls of the layer, not here.
        """
        return masked_softmax(self.logits(inputs), mask)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        inputs = real_steps(inputs, mask)
        weights = self.attention(inputs, mask)
        pooled = self.output_activation(weighted_sum(weights, inputs))
        return (pooled, weights) if self.return_weights else pooled

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return (None, None) if self.return_weights else None

    def compute_output_shape(self, input_shape: Any) -> Any:
        pooled = (*input_shape[:-2], input_shape[-1])
        return (pooled, tuple(input_shape[:-1])) if self.return_weights else pooled

    def get_config(self) -> dict[str, Any]:
        config = {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "return_weights": self.return_weights,
            "projection": self.projection,
            "output_activation": keras.activations.serialize(self.output_activation),
            "initializer": keras.initializers.serialize(self.initializer),
        }
        for weight in ("W", "u", "b"):
            for kind in ("initializer", "regularizer", "constraint"):
                name = f"{weight}_{kind}"
                config[name] = getattr(keras, f"{kind}s").serialize(getattr(self, name))
        return config


@keras.saving.register_keras_serializable("ir_attention")
class AdditiveAttention(keras.layers.Layer):
    """Every step of one sequence attends over all steps of another.

    `logits_ij = scale . tanh(query_i @ query_kernel + value_j @ value_kernel)`, `(..., rows,
    cols)`; `weights = softmax(logits)` over j; the output is `weights @ value`, `(..., rows,
    width)`. This is the alignment model of Bahdanau et al. (2015), section A.1.2. With
    `units=None` there are no kernels, `W = U = I`, and it equals
    `keras.layers.AdditiveAttention(use_scale=True)` of the same scale, except at masks: where
    every value is masked, that one gives `1 / cols` and this one zeros.

    Masking: the mask of `value` is used; a masked step of it has weight exactly 0 and no say, even
    if it holds NaN. Rows of the query that are padding are the caller's to drop. None is passed on.

    Args:
        units: Size of the attention, a positive integer, or None for no projection.
        initializer: Of the kernels and of `scale`.

    Call arguments:
        query: Floats, `(..., rows, width)`.
        value: Floats, `(..., cols, width)`; the axes before the last two equal those of `query`.
        value_mask: Booleans, `(..., cols)`; False is padding. Default: no padding.

    Returns:
        A pair: floats `(..., rows, width)` and the weights `(..., rows, cols)`.
    """

    def __init__(
        self, units: int | None = None, initializer: Any = "glorot_uniform", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if units is not None:
            check_units(units)
        self.units = units
        self.initializer = keras.initializers.get(initializer)

    def build(self, query_shape: Any, value_shape: Any = None) -> None:
        units = self.units or query_shape[-1]
        if self.units is not None:
            self.query_kernel = self._weight("query_kernel", (query_shape[-1], units))
            self.value_kernel = self._weight("value_kernel", (query_shape[-1], units))
        self.scale = self._weight("scale", (units, 1))

    def _weight(self, name: str, shape: tuple[int, ...]) -> Any:
        number = ("query_kernel", "value_kernel", "scale").index(name)
        initializer = own_initializer(self.initializer, number)
        return self.add_weight(name=name, shape=shape, initializer=initializer)

    def logits(self, query: Any, value: Any) -> Any:
        """The scores before the softmax, `(..., rows, cols)`."""
        weights = {"scale": self.scale}
        if self.units is not None:
            weights |= {"query_kernel": self.query_kernel, "value_kernel": self.value_kernel}
        return additive_scores(query, value, weights)

    def call(self, query: Any, value: Any, value_mask: Any = None) -> Any:
        value = real_steps(value, value_mask)
        keep = None if value_mask is None else ops.expand_dims(value_mask, -2)
        weights = masked_softmax(self.logits(query, value), keep)
        return ops.matmul(weights, value), weights

    def compute_mask(self, query: Any, previous_mask: Any = None) -> Any:
        return None, None

    def compute_output_shape(self, query_shape: Any, value_shape: Any) -> Any:
        return tuple(query_shape), (*query_shape[:-1], value_shape[-2])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "initializer": keras.initializers.serialize(self.initializer),
        }


def additive_scores(query: Any, value: Any, weights: dict[str, Any]) -> Any:
    """`scale . tanh(query_i @ query_kernel + value_j @ value_kernel)`, `(..., rows, cols)`.

    Args:
        query: Floats, `(..., rows, width)`.
        value: Floats, `(..., cols, width)`.
        weights: `scale`, `(units, 1)`; with or without both kernels, `(width, units)`.
    """
    if "query_kernel" in weights:
        query = ops.matmul(query, weights["query_kernel"])
        value = ops.matmul(value, weights["value_kernel"])
    hidden = ops.tanh(ops.expand_dims(query, -2) + ops.expand_dims(value, -3))
    return ops.squeeze(ops.matmul(hidden, weights["scale"]), axis=-1)


def check_units(units: Any, name: str = "units") -> None:
    """Raises a ValueError unless `units`, an argument of that name, is a positive integer."""
    if not isinstance(units, int) or isinstance(units, bool) or units < 1:
        raise ValueError(f"`{name}` must be a positive integer. Received: {name}={units!r}")


def own_initializer(initializer: Any, number: int) -> Any:
    """The initializer for the layer's weight of that number.

    A seeded one gives every weight the same numbers, so the seed moves on from weight to weight.
    """
    if not isinstance(initializer, keras.initializers.Initializer):
        return initializer
    config = initializer.get_config()
    if isinstance(config.get("seed"), int):
        config["seed"] += number
    return type(initializer).from_config(config)


def real_steps(inputs: Any, mask: Any) -> Any:
    """`inputs` with zeros at masked steps: times a weight of 0, a NaN would still be one."""
    if mask is None:
        return inputs
    return ops.where(ops.expand_dims(mask, -1), inputs, ops.zeros_like(inputs))


def weighted_sum(weights: Any, inputs: Any) -> Any:
    """The sum over the steps, `(..., steps)` times `(..., steps, width)` to `(..., width)`."""
    return ops.squeeze(ops.matmul(ops.expand_dims(weights, -2), inputs), axis=-2)
