"""MatchZoo's models that Keras 3 would break, change or misread; and those it cannot run."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from ir_attention.backend import keras, ops

__all__ = ["mend"]

# Why each is refused.
_REFUSED = {
    "BiMPM": "cannot be built on Keras 3",
    "DIIN": "cannot be built on Keras 3",
    "MatchLSTM": "cannot be built on Keras 3",
    "MatchSRNN": "trains on Keras 3, but gives other scores than it should",
}


def mend(matchzoo: Any) -> None:
    """Puts the functions below in place of MatchZoo's own."""
    from matchzoo.models import drmm, drmmtks

    models = matchzoo.models
    models.MVLSTM.build = _keeping_masked_outputs(models.MVLSTM.build)
    models.ConvKNRM.get_default_params = classmethod(models.ConvKNRM.get_default_params)
    for module, model in ((drmm, models.DRMM), (drmmtks, models.DRMMTKS)):
        # They mask a symbolic tensor with TensorFlow's functions; Keras 3 has its own for that.
        module.tf = SimpleNamespace(
            cast=ops.cast, expand_dims=ops.expand_dims, nn=module.tf.nn, not_equal=ops.not_equal
        )
        model.attention_layer = staticmethod(_attend)
    matchzoo.contrib.models.HBMP._classifier = staticmethod(_classify)
    _mend_layers(matchzoo)
    for name, reason in _REFUSED.items():
        getattr(matchzoo.contrib.models, name).__init__ = _refusing(name, reason)


def _mend_layers(matchzoo: Any) -> None:
    """The two layers of Match-SRNN, which can be used without it."""
    from matchzoo.contrib.layers import matching_tensor_layer, spatial_gru

    matching_tensor_layer.K = SimpleNamespace(l2_normalize=_normalized)
    spatial_gru.K = SimpleNamespace(dot=ops.matmul, bias_add=ops.add)
    layer = matchzoo.contrib.layers.SpatialGRU
    layer.call = _with_its_weights(layer.call)


def _normalized(x: Any, axis: int) -> Any:
    return ops.normalize(x, axis=axis, order=2)


def _with_its_weights(call: Callable[..., Any]) -> Callable[..., Any]:
    """Takes the parts of a spatial GRU's weights as they are at the call.

    MatchZoo takes them when the layer is built, where Keras 3 gives the first values: no training
    would reach them, and none loaded from a file.
    """

    def call_and_take(self: Any, inputs: Any, **kwargs: Any) -> Any:
        gates, states = 3 * self._units, 7 * self._units
        self._wr, self._wz = self._W[:, :gates], self._W[:, gates:states]
        self._br, self._bz = self._bias[:gates], self._bias[gates:states]
        self._b_ij = self._bias[states:]
        return call(self, inputs, **kwargs)

    return call_and_take


def _keeping_masked_outputs(build: Callable[[Any], None]) -> Callable[[Any], None]:
    """MV-LSTM as it was: at a padded step the LSTM repeats its last output.

    The `Bidirectional` of Keras 3 puts zeros there, and so does cuDNN; either changes which
    signals are among the top k, hence every score of a padded text.
    """

    def build_and_set(self: Any) -> None:
        build(self)
        for layer in self.backend.layers:
            if isinstance(layer, keras.layers.Bidirectional):
                for direction in (layer.forward_layer, layer.backward_layer):
                    direction.zero_output_for_mask = False
                    direction.use_cudnn = False

    return build_and_set


def _attend(attention_input: Any, attention_mask: Any = None) -> Any:
    """Weights over the words of a query, `(batch, words, 1)`.

    Args:
        attention_input: The words' vectors, `(batch, words, width)`.
        attention_mask: 1 for a word and 0 for padding, `(batch, words, 1)`. Default: no padding.
    """
    scores = keras.layers.Dense(1, use_bias=False)(attention_input)
    if attention_mask is not None:
        scores = scores + (1.0 - attention_mask) * -10000.0
    return keras.layers.Softmax(axis=1, name="attention_probs")(scores)


def _classify(
    input_: Any,
    mlp_num_layers: int,
    mlp_num_units: list[int],
    drop_rate: float,
    leaky_relu_alpah: float,  # as MatchZoo spells it
) -> Any:
    """The hidden layers over HBMP's features; Keras 3 has another name for a leaky slope."""
    for units in mlp_num_units[: mlp_num_layers - 1]:
        input_ = keras.layers.Dropout(drop_rate)(input_)
        input_ = keras.layers.Dense(units)(input_)
        input_ = keras.layers.LeakyReLU(negative_slope=leaky_relu_alpah)(input_)
    return input_


def _refusing(name: str, reason: str) -> Callable[..., None]:
    def refuse(self: Any, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            f"MatchZoo's {name} {reason}. Any other of `models.list_available()` will do. "
            f"Received: model={name}"
        )

    return refuse
