"""The door to MatchZoo: its names, and what a fresh process sees of the import."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ir_attention import matchzoo as mz
from ir_attention.backend import keras

# What a fresh process finds out; one for all of it, as each takes the seconds of TensorFlow.
PROBE = """
import json, sys
from pathlib import Path
from ir_attention.backend import load_keras
keras = load_keras()
before = {"keras": dir(keras), "keras.utils": dir(keras.utils), "keras.layers": dir(keras.layers)}
registered = dict(keras.saving.get_custom_objects())
expanduser = Path.expanduser
from ir_attention import matchzoo as mz
import numpy, pandas
after = {"keras": dir(keras), "keras.utils": dir(keras.utils), "keras.layers": dir(keras.layers)}
vocabulary = mz.preprocessors.units.Vocabulary()
vocabulary.fit("the cat sat on the mat".split())
other = {"K": keras.backend, "numpy": numpy}  # the globals of code that has none of MatchZoo
frame = pandas.DataFrame({"text_left": list("AABC"), "text_right": list("abbc")})
print(json.dumps({
    "keras changed": before != after or registered != keras.saving.get_custom_objects(),
    "modules": [name for name in ("keras.engine", "keras.utils.losses_utils")
                if name in sys.modules],
    "numpy": hasattr(numpy, "asscalar"),
    "pathlib": Path.expanduser is not expanduser,
    "old names": "variable" in dir(keras.backend) or eval("hasattr(K, 'variable')", other),
    "home": str(mz.USER_DIR),
    "made": mz.USER_DIR.exists() or mz.USER_DATA_DIR.exists(),
    "ids": vocabulary.state["term_index"],
    "pack": mz.pack(frame).relation.to_numpy().tolist(),
    "backend": keras.config.backend(),
}))
"""
IDS = {"<PAD>": 0, "<OOV>": 1, "cat": 2, "mat": 3, "on": 4, "sat": 5, "the": 6}
SEEN = {
    "keras changed": False,
    "modules": [],
    "numpy": False,
    "pathlib": False,
    "old names": False,
    "made": False,
    "ids": IDS,
    "pack": [["L-0", "R-0"], ["L-0", "R-1"], ["L-1", "R-1"], ["L-2", "R-2"]],
}


def probe(**environment):
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROBE],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    return json.loads(process.stdout)


@pytest.mark.slow
def test_a_fresh_process_without_a_home():
    """Nothing is written to the terminal or the home, nothing left behind; ids stay the same."""
    seen = probe(HOME="/dev/null", PYTHONHASHSEED="3", KERAS_BACKEND="tensorflow")
    assert seen == {**SEEN, "home": "/dev/null/.matchzoo", "backend": "tensorflow"}


@pytest.mark.slow
def test_another_hash_seed_and_backend(tmp_path):
    seen = probe(HOME=str(tmp_path), PYTHONHASHSEED="4", KERAS_BACKEND="jax")
    assert seen == {**SEEN, "home": f"{tmp_path}/.matchzoo", "backend": "jax"}
    assert ".matchzoo" not in os.listdir(tmp_path)


def test_every_name_of_matchzoo_is_there():
    package = sys.modules["matchzoo"]
    for name in mz.__all__:
        assert getattr(mz, name) is getattr(package, name)
    expected = """DataPack pack load_data_pack preprocessors DataGenerator DataGeneratorBuilder
        losses metrics tasks callbacks models engine embedding Embedding layers auto
        chain_transform load_preprocessor load_model Param ParamTable hyper_spaces one_hot datasets
        contrib data_generator build_vocab_unit build_unit_from_data_pack""".split()
    assert set(expected) <= set(mz.__all__) == set(dir(mz))
    with pytest.raises(AttributeError, match="nothing"):
        mz.nothing  # noqa: B018


def test_submodules_are_the_same_ones():
    import ir_attention.matchzoo.preprocessors as preprocessors
    from ir_attention.matchzoo.engine.base_preprocessor import BasePreprocessor

    from ir_attention.matchzoo import DataPack

    assert preprocessors is mz.preprocessors
    assert DataPack is mz.DataPack
    assert issubclass(mz.preprocessors.BasicPreprocessor, BasePreprocessor)


def test_the_names_of_keras_2_are_gone():
    assert not hasattr(keras, "engine")
    assert "keras.engine" not in sys.modules
    assert "keras.utils.losses_utils" not in sys.modules


def test_two_old_names_for_code_that_uses_matchzoo():
    from keras import backend as K

    weights = K.variable([[1, 2], [3, 4]], name="w")
    assert (weights.dtype, K.variable([1], dtype="int32").dtype) == ("float32", "int32")
    assert K.eval(weights).tolist() == K.eval(weights + 0).tolist() == [[1, 2], [3, 4]]
    assert type(K.eval(keras.ops.ones(3))) is np.ndarray
    with pytest.raises(AttributeError, match="'keras.backend' has no attribute 'dot'"):
        K.dot  # noqa: B018
    losses = {"K": K, "RankHingeLoss": mz.losses.RankHingeLoss}
    assert (
        eval("K.eval(RankHingeLoss()(K.variable([[1], [0]]), K.variable([[3], [1]])))", losses) == 0
    )
    for others in ({"K": K, "np": np, "path": Path, "name": "matchzoo"}, {"K": K}):
        assert not eval("hasattr(K, 'variable')", others)


def test_what_is_set_here_is_set_in_matchzoo():
    package = sys.modules["matchzoo"]
    before = package.USER_TUNED_MODELS_DIR
    mz.USER_TUNED_MODELS_DIR = "elsewhere"
    assert package.USER_TUNED_MODELS_DIR == mz.USER_TUNED_MODELS_DIR == "elsewhere"
    del mz.USER_TUNED_MODELS_DIR
    assert package.USER_TUNED_MODELS_DIR == mz.USER_TUNED_MODELS_DIR == before


def test_the_package_itself_is_as_it_was_installed():
    """It is mended in memory alone: its own source still asks for the names of Keras 2."""
    source = Path(sys.modules["matchzoo"].__file__).parent / "losses" / "rank_hinge_loss.py"
    assert "from keras.utils import losses_utils" in source.read_text()


def test_another_version_is_refused(monkeypatch):
    from ir_attention.matchzoo.opening import open_matchzoo

    monkeypatch.setattr(sys.modules["matchzoo"], "__version__", "2.1.0")
    with pytest.raises(ImportError, match="pip install matchzoo==2.2.0`. Received: matchzoo 2.1.0"):
        open_matchzoo()
