"""MatchZoo 2.2.0 on Keras 3, TensorFlow 2, pandas and NumPy of today: the only door to it.

    from ir_attention import matchzoo as mz

is all that an old script has to change. Every name of `matchzoo` is here, with its submodules
(`mz.preprocessors.units`, `from ir_attention.matchzoo.engine.base_model import BaseModel`). The
package is installed as it is published (or a checkout of it is found first, as by its own tests);
on the first import of this door its own objects are mended in memory. Nothing of NumPy or pandas is
touched, and of Keras nothing but what `old_names` answers to code that uses MatchZoo.

What differs from MatchZoo as it was:

* `DataGenerator` leaves the pack it is given as it was, and takes a `seed`.
* `fit`, `predict`, `evaluate` and `validation_data` use what the model has inputs for and ignore
  other columns. `fit_generator` ignores `workers` and `use_multiprocessing`.
* `EvaluateAllMetrics` writes the metrics' names into the history; a metric finds its values too.
* `units.Tokenize` gives the words of `ir_attention.text` and the punctuation between them; the
  English stop words are those of `ir_attention.text` too; nothing has to be downloaded.
  `units.PuncRemoval` leaves no empty words. `units.FixedLength` also knows `pad_mode="both"`.
* Vocabularies number their terms in sorted order, whatever `PYTHONHASHSEED` says.
* A saved model's weights are `backend.weights.h5`. `save` and the `load_...` functions still use
  dill, and warn: whoever loads such a file runs the code in it.
* The loaders of `datasets` read the local copy below `USER_DATA_DIR`, which may be set; they
  download what is not there, as they always did, and say where to put it if they cannot.
  `datasets.toy` has no data in the published package: a checkout of MatchZoo has, and `toy` below
  `USER_DATA_DIR` may have. `load_from_file` keeps words like `nan` and `"`.
* `MatchSRNN`, `MatchLSTM`, `BiMPM` and `DIIN` are refused.
* Importing makes no `~/.matchzoo`; what is downloaded or tuned makes it when it is needed.
* Code that uses MatchZoo still finds `variable` and `eval` in `keras.backend`; other code does not.

The losses and the models without TensorFlow's functions in them (DSSM, CDSSM, ArcI, DenseBaseline,
Naive) also run with Keras on JAX; TensorFlow has to be installed all the same.
"""

import sys
from types import ModuleType
from typing import Any

from ir_attention.matchzoo import (
    architectures,
    evaluating,
    fitting,
    local_copies,
    losses_by_group,
    old_names,
    opening,
    packs,
    sampling,
    wording,
)

_matchzoo = opening.open_matchzoo()
for _part in (
    packs,
    wording,
    sampling,
    losses_by_group,
    fitting,
    evaluating,
    architectures,
    local_copies,
    old_names,
):
    _part.mend(_matchzoo)

# `import ir_attention.matchzoo.preprocessors` finds MatchZoo's own module, not a second copy.
for _name, _module in list(sys.modules.items()):
    if _name.startswith("matchzoo."):
        sys.modules[f"{__name__}.{_name.removeprefix('matchzoo.')}"] = _module

__all__ = sorted(name for name in vars(_matchzoo) if not name.startswith("_") and name != "Path")


class _Door(ModuleType):
    """Sets a name of MatchZoo there too: its loaders look for `USER_DATA_DIR` in its own module.

    Deleting the name brings back what MatchZoo had.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in __all__:
            return super().__setattr__(name, value)
        _before.setdefault(name, getattr(_matchzoo, name))
        setattr(_matchzoo, name, value)

    def __delattr__(self, name: str) -> None:
        if name not in _before:
            return super().__delattr__(name)
        setattr(_matchzoo, name, _before.pop(name))


_before: dict[str, Any] = {}
sys.modules[__name__].__class__ = _Door


def __getattr__(name: str) -> Any:
    return getattr(_matchzoo, name)


def __dir__() -> list[str]:
    return __all__
