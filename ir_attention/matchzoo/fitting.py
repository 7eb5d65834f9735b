"""MatchZoo's models on Keras 3: fitting to arrays and to generators, predicting, loading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ir_attention.backend import keras
from ir_attention.errors import DataError

__all__ = ["mend"]


def mend(matchzoo: Any) -> None:
    """Puts the functions below in place of MatchZoo's own."""
    from matchzoo.engine import base_model

    model = base_model.BaseModel
    model.BACKEND_WEIGHTS_FILENAME = "backend.weights.h5"  # the ending that Keras 3 asks for
    model.fit = fit
    model.fit_generator = fit_generator
    model.predict = predict
    matchzoo.load_model = base_model.load_model = load_model

    def save_to(self: Any, dir_path: str | Path | None = None) -> None:
        """Takes a path in either form; the default is looked up now, not when it is imported."""
        self._dir_path = Path(dir_path or matchzoo.USER_TUNED_MODELS_DIR)

    matchzoo.auto.tuner.callbacks.SaveModel.__init__ = save_to


def fit(
    self: Any,
    x: Any,
    y: np.ndarray | None = None,
    batch_size: int = 128,
    epochs: int = 1,
    verbose: int | str = 1,
    **kwargs: Any,
) -> Any:
    """Fits the model to unpacked data.

    Args:
        x: What `DataPack.unpack` returns: a dict of arrays. Those that the model has an input
            for are used, so ids and lengths may be among them.
        y: The labels.
        batch_size: Rows in a batch.
        epochs: How many times to go through the data.
        verbose: 0 is silent, 1 a bar, 2 a line for each epoch.
        **kwargs: Passed on to `keras.Model.fit`; `validation_data` may be a pair of `x` and `y`,
            or a generator.

    Returns:
        A `keras.callbacks.History`.

    Raises:
        DataError: `x` lacks an input of the model, or holds texts of different lengths.
    """
    return self._backend.fit(
        x=_inputs(self._backend, x),
        y=y,
        batch_size=batch_size,
        epochs=epochs,
        verbose=verbose,
        **_validating(self._backend, kwargs),
    )


def fit_generator(
    self: Any, generator: Any, epochs: int = 1, verbose: int | str = 1, **kwargs: Any
) -> Any:
    """Fits the model to the batches of a generator.

    Args:
        generator: A `DataGenerator`, any `keras.utils.PyDataset`, or an iterator of `(x, y)`.
        epochs: How many times to go through the data.
        verbose: 0 is silent, 1 a bar, 2 a line for each epoch.
        **kwargs: Passed on to `keras.Model.fit`, as in `fit`. `shuffle` (default: True) gives
            each pass an order of batches of its own. With `steps_per_epoch`, an epoch is that
            many batches, and passes go on over its end. `workers`, `use_multiprocessing` and
            `max_queue_size` are accepted and ignored: batches are made one after the other in
            this process, or no seed could tell what is in them.

    Returns:
        A `keras.callbacks.History`.
    """
    for name in ("max_queue_size", "use_multiprocessing", "workers"):
        kwargs.pop(name, None)
    batches = _batches(self._backend, generator, shuffle=kwargs.pop("shuffle", True))
    if kwargs.get("steps_per_epoch") and isinstance(batches, _Batches):
        batches = batches.without_end()
    return self._backend.fit(
        x=batches,
        epochs=epochs,
        verbose=verbose,
        shuffle=False,  # Keras would draw the order from Python's global state
        **_validating(self._backend, kwargs),
    )


def predict(self: Any, x: Any, batch_size: int = 128) -> np.ndarray:
    """Scores, `(rows, 1)` for ranking and `(rows, classes)` for classification."""
    return self._backend.predict(x=_inputs(self._backend, x), batch_size=batch_size, verbose=0)


def load_model(dirpath: str | Path) -> Any:
    """The model that `BaseModel.save` wrote to a folder, compiled.

    Its optimizer starts afresh: MatchZoo saves weights and parameters.
    """
    from matchzoo.engine import base_model

    with open(Path(dirpath, base_model.BaseModel.PARAMS_FILENAME), "rb") as file:
        params = base_model.dill.load(file)
    model = params["model_class"](params=params)
    model.build()
    # Before `compile`, or Keras 3 complains about the state of an optimizer that is not there.
    model.backend.load_weights(Path(dirpath, model.BACKEND_WEIGHTS_FILENAME))
    model.compile()
    return model


def _inputs(model: Any, x: Any) -> Any:
    """Of unpacked data, what the model has inputs for; anything but a dict as it is."""
    if not isinstance(x, Mapping):
        return x
    if not getattr(model, "inputs", None):  # a subclassed model: its inputs have no names
        return {
            name: values for name, values in x.items() if np.asarray(values).dtype.kind in "biuf"
        }
    names = [tensor.name for tensor in model.inputs]
    missing = [name for name in names if name not in x]
    if missing:
        raise DataError(
            f"The model has inputs {missing} which are not among the data; a callback of the "
            f"DataGenerator may have to make them. Received: columns {sorted(x)}"
        )
    for name in names:
        if np.asarray(x[name]).dtype == object:
            raise DataError(
                f"{name} holds texts of different lengths: pad them, as a preprocessor or its unit "
                f"FixedLength does. Received: {str(x[name])[:60]}"
            )
    return {name: x[name] for name in names}


def _validating(model: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    data = kwargs.get("validation_data")
    if data is None:
        return kwargs
    if isinstance(data, (tuple, list)):
        data = (_inputs(model, data[0]), *data[1:])
    else:
        data = _batches(model, data, shuffle=False)
    return {**kwargs, "validation_data": data}


def _batches(model: Any, generator: Any, shuffle: bool) -> Any:
    if isinstance(generator, keras.utils.PyDataset):
        return _Batches(model, generator, shuffle)
    return _stream(model, generator)


def _stream(model: Any, generator: Iterator[Any]) -> Iterator[Any]:
    for x, *rest in generator:
        yield (_inputs(model, x), *rest)


class _Batches(keras.utils.PyDataset):
    """A generator's batches with the model's inputs alone, in a new order for each pass."""

    def __init__(self, model: Any, generator: Any, shuffle: bool):
        super().__init__()
        self._model = model
        self._generator = generator
        self._shuffle = shuffle
        # The generator's own, if it is a DataGenerator: then one seed decides on everything.
        self._rng = getattr(generator, "_rng", None) or np.random.default_rng(
            np.random.randint(2**31)
        )
        self._deal()

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, index: int) -> Any:
        x, *rest = self._generator[self._order[index]]
        return (_inputs(self._model, x), *rest)

    def on_epoch_end(self) -> None:
        self._generator.on_epoch_end()
        self._deal()

    def without_end(self) -> Iterator[Any]:
        """Pass after pass, for epochs of a given length: Keras 3 would stop after the first."""
        while True:
            yield from (self[index] for index in range(len(self)))
            self.on_epoch_end()

    def _deal(self) -> None:
        order = range(len(self._generator))
        self._order = self._rng.permutation(order).tolist() if self._shuffle else list(order)
