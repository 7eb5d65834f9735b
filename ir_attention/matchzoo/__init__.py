"""MatchZoo 2.2.0 on Keras 3, TensorFlow 2, pandas and NumPy of today: the only door to it.

    from ir_attention import matchzoo as mz

is all that an old script has to change. Every name of `matchzoo` is here, with its submodules
(`mz.preprocessors.units`, `from ir_attention.matchzoo.engine.base_model import BaseModel`). The
package is installed as it is published; on the first import of this door its own objects are
mended in memory, and nothing of Keras, NumPy or pandas is touched.

What differs from MatchZoo as it was:

* `DataGenerator` leaves the pack it is given as it was, and takes a `seed`.
* `fit`, `predict`, `evaluate` and `validation_data` use what the model has inputs for and ignore
  other columns. `fit_generator` ignores `workers` and `use_multiprocessing`.
* `EvaluateAllMetrics` writes the metrics' names into the history; a metric finds its values too.
* `units.Tokenize` and the English stop words are those of `ir_attention.text`; nothing has to be
  downloaded. `units.FixedLength` also knows `pad_mode="both"`.
* Vocabularies number their terms in sorted order, whatever `PYTHONHASHSEED` says.
* A saved model's weights are `backend.weights.h5`. `save` and the `load_...` functions still use
  dill, and warn: whoever loads such a file runs the code in it.
* `datasets.toy` has no data: the published package lacks the files.
* `MatchSRNN`, `MatchLSTM`, `BiMPM` and `DIIN` are refused.
* Importing makes no `~/.matchzoo`; what is downloaded or tuned makes it when it is needed.

The losses and the models without TensorFlow's functions in them (DSSM, CDSSM, ArcI, DenseBaseline,
Naive) also run with Keras on JAX; TensorFlow has to be installed all the same.
"""

import sys
from typing import Any

from ir_attention.matchzoo import (
    architectures,
    evaluating,
    fitting,
    losses_by_group,
    opening,
    packs,
    sampling,
    wording,
)

_matchzoo = opening.open_matchzoo()
for _part in (packs, wording, sampling, losses_by_group, fitting, evaluating, architectures):
    _part.mend(_matchzoo)

# `import ir_attention.matchzoo.preprocessors` finds MatchZoo's own module, not a second copy.
for _name, _module in list(sys.modules.items()):
    if _name.startswith("matchzoo."):
        sys.modules[f"{__name__}.{_name.removeprefix('matchzoo.')}"] = _module

__all__ = sorted(name for name in vars(_matchzoo) if not name.startswith("_") and name != "Path")


def __getattr__(name: str) -> Any:
    return getattr(_matchzoo, name)


def __dir__() -> list[str]:
    return __all__
