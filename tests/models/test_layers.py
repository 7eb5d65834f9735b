"""One check for every layer: shape, mask, padding, half precision, a save. None can be left out."""

import importlib
import inspect
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ir_attention import models
from ir_attention.backend import keras
from ir_attention.models.attention import AdditiveAttention, AttentionPool
from ir_attention.models.han import HierarchicalEncoder
from ir_attention.models.matcher import GatedProjection
from ir_attention.models.pooling import ConditionedPool, MaxPool, MeanPool, MultiHopPool
from ir_attention.models.recurrent import BiGRU
from ir_attention.models.scored_attention import LastStateAttention, ScoredAttention

# Keras 3 asks TensorFlow's variables for an array in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SOURCES = {path.stem: path.read_text() for path in Path(models.__path__[0]).glob("[!_]*.py")}
# Importing the others would import MatchZoo, which takes seconds and has layers of its own.
MODULES = {name for name, source in SOURCES.items() if "ir_attention.matchzoo" not in source}

# Sizes are different primes, so that a mixed-up axis cannot go unnoticed.
BATCH, STEPS, WIDTH, ROWS, MOST = 3, 5, 7, 11, 2
LENGTHS = np.array([5, 2, 0], "int32")
MASK = np.arange(STEPS) < LENGTHS[:, None]
# Three documents have a sentence, two (the second without words), and none.
COUNTS = np.array([1, 2, 0], "int32")


@dataclass
class Case:
    """How a layer is called, and what of its inputs and outputs is padding."""

    make: Any  # keyword arguments of every layer -> layer
    arrays: dict  # the call arguments, in order
    shapes: list  # of the outputs
    padded: dict  # axis along which each argument is padded, for those that are
    all_padding: dict  # what replaces arguments, so that everything is padding
    real: Any = None  # for outputs with steps of their own: which of them count
    passes_mask: bool = False
    zeros: bool = True  # whether padding gives zeros
    sizes: tuple[str, ...] = ("units",)  # arguments that are positive integers


def normal(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


def pool_of(layer, *arguments, sizes=("units",), outputs=((BATCH, WIDTH), (BATCH, STEPS)), **more):
    """A pool of one masked input, that returns its weights too."""
    return Case(
        lambda **policy: layer(*arguments, return_weights=True, **more, **policy),
        {"inputs": normal(BATCH, STEPS, WIDTH), "mask": MASK},
        list(outputs),
        {"inputs": 1, "mask": 1},
        {"mask": np.zeros_like(MASK)},
        sizes=sizes,
    )


NOTHING = {"lengths": np.zeros(BATCH, "int32")}
CASES = {
    AttentionPool: pool_of(AttentionPool, 13),
    LastStateAttention: pool_of(LastStateAttention, "concat", 13),
    MeanPool: pool_of(MeanPool, sizes=()),
    MaxPool: pool_of(MaxPool, sizes=()),
    MultiHopPool: pool_of(
        MultiHopPool,
        13,
        11,
        penalty=0.1,
        sizes=("hops", "units"),
        outputs=[(BATCH, 13, WIDTH), (BATCH, 13, STEPS)],
    ),
    ConditionedPool: Case(
        lambda **more: ConditionedPool(13, return_weights=True, **more),
        {
            "inputs": normal(BATCH, STEPS, WIDTH),
            "query": normal(BATCH, ROWS),
            "inputs_mask": MASK,
        },
        [(BATCH, WIDTH), (BATCH, STEPS)],
        {"inputs": 1, "inputs_mask": 1},
        {"inputs_mask": np.zeros_like(MASK)},
    ),
    ScoredAttention: Case(
        lambda **more: ScoredAttention("additive", 13, return_weights=True, **more),
        {
            "query": normal(BATCH, ROWS, WIDTH),
            "value": normal(BATCH, STEPS, WIDTH),
            "value_mask": MASK,
        },
        [(BATCH, ROWS, WIDTH), (BATCH, ROWS, STEPS)],
        {"value": 1, "value_mask": 1},
        {"value_mask": np.zeros_like(MASK)},
    ),
    AdditiveAttention: Case(
        lambda **more: AdditiveAttention(13, **more),
        {
            "query": normal(BATCH, ROWS, WIDTH),
            "value": normal(BATCH, STEPS, WIDTH),
            "value_mask": MASK,
        },
        [(BATCH, ROWS, WIDTH), (BATCH, ROWS, STEPS)],
        {"value": 1, "value_mask": 1},
        {"value_mask": np.zeros_like(MASK)},
    ),
    BiGRU: Case(
        lambda **more: BiGRU(13, **more),
        {"inputs": normal(BATCH, STEPS, WIDTH), "lengths": LENGTHS},
        [(BATCH, STEPS, 26)],
        {"inputs": 1},
        NOTHING,
        passes_mask=True,
    ),
    HierarchicalEncoder: Case(
        lambda **more: HierarchicalEncoder(13, 11, **more),
        {
            "inputs": normal(BATCH, STEPS, WIDTH),
            "lengths": LENGTHS,
            "counts": COUNTS,
        },
        [(BATCH, 26)],
        {"inputs": 1},
        NOTHING,
    ),
    GatedProjection: Case(
        lambda **more: GatedProjection(13, **more),
        {"inputs": normal(BATCH, STEPS, WIDTH)},
        [(BATCH, STEPS, 13)],
        {"inputs": 1},
        {},
        real=MASK,
        passes_mask=True,
        zeros=False,
    ),
}
every_layer = pytest.mark.parametrize("layer", CASES, ids=lambda layer: layer.__name__)


def outputs(layer, arrays):
    return [np.asarray(one) for one in keras.tree.flatten(layer(**arrays))]


def real(case, arrays):
    """The outputs without steps of padding: those beyond STEPS, and those that do not count."""
    kept = []
    for array, shape in zip(arrays, case.shapes, strict=True):
        array = array[tuple(slice(size) for size in shape)]
        kept.append(array if case.real is None else array[case.real])
    return kept


def pad(case, value):
    """The arguments with three more steps of padding, which hold `value` (and no more mask)."""
    arrays = dict(case.arrays)
    for name, axis in case.padded.items():
        shape = list(arrays[name].shape)
        shape[axis] = 3
        fill = np.full(shape, value if arrays[name].dtype.kind == "f" else 0, arrays[name].dtype)
        arrays[name] = np.concatenate([arrays[name], fill], axis=axis)
    return arrays


def spoil(case, value):
    """The arguments with `value` in all their padding."""
    name = next(name for name in ("value", "inputs") if name in case.arrays)
    return case.arrays | {name: np.where(MASK[..., None], case.arrays[name], np.float32(value))}


def test_every_layer_has_a_case():
    for name in MODULES:
        importlib.import_module(f"{models.__name__}.{name}")
    found = {
        member
        for name in MODULES
        for _, member in inspect.getmembers(sys.modules[f"{models.__name__}.{name}"])
        if inspect.isclass(member)
        and member.__module__.startswith(models.__name__)
        and issubclass(member, keras.layers.Layer)
        and not issubclass(member, keras.Model)
        and not member.__name__.startswith("_")  # tested with what they are a part of
    }
    assert found == set(CASES)
    assert not [name for name in set(SOURCES) - MODULES if "Layer)" in SOURCES[name]]


@every_layer
def test_shapes(layer):
    case = CASES[layer]
    made = case.make()
    given = outputs(made, case.arrays)
    assert [one.shape for one in given] == case.shapes
    assert all(one.dtype == np.float32 for one in given)
    shapes = {f"{n}_shape": a.shape for n, a in case.arrays.items() if not n.endswith("mask")}
    if len(shapes) == 1:
        shapes = {"input_shape": case.arrays["inputs"].shape}
    computed = made.compute_output_shape(**shapes)
    assert (computed if len(case.shapes) > 1 else (computed,)) == (*case.shapes,)


@every_layer
def test_shapes_of_an_unknown_batch(layer):
    case = CASES[layer]
    symbolic = {
        name: keras.Input(array.shape[1:], dtype=array.dtype.name)
        for name, array in case.arrays.items()
    }
    given = keras.tree.flatten(case.make()(**symbolic))
    assert [one.shape for one in given] == [(None, *shape[1:]) for shape in case.shapes]


@every_layer
@pytest.mark.parametrize("value", [1e6, np.nan])
def test_what_padding_holds_has_no_say(layer, value):
    case = CASES[layer]
    made = case.make()
    before = real(case, outputs(made, case.arrays))
    after = real(case, outputs(made, spoil(case, value)))
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


@every_layer
def test_more_padding_changes_nothing(layer):
    case = CASES[layer]
    made = case.make()
    before = real(case, outputs(made, case.arrays))
    after = real(case, outputs(made, pad(case, value=1e3)))
    for one, other in zip(before, after, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@every_layer
@pytest.mark.parametrize("dtype", ["float32", "float16", "mixed_bfloat16"])
def test_all_padding(layer, dtype):
    case = CASES[layer]
    for output in keras.tree.flatten(case.make(dtype=dtype)(**case.arrays | case.all_padding)):
        assert keras.backend.standardize_dtype(output.dtype) == dtype.removeprefix("mixed_")
        output = np.asarray(keras.ops.cast(output, "float32"))
        assert np.isfinite(output).all()
        assert not case.zeros or not output.any()


@every_layer
@pytest.mark.parametrize("dtype", ["float16", "mixed_float16"])
def test_half_precision(layer, dtype):
    case = CASES[layer]
    whole, half = case.make(), case.make(dtype=dtype)
    expected = outputs(whole, case.arrays)
    outputs(half, case.arrays)  # builds it
    half.set_weights(whole.get_weights())
    for one, other in zip(outputs(half, case.arrays), expected, strict=True):
        assert one.dtype == np.float16
        np.testing.assert_allclose(one.astype("float32"), other, atol=5e-3)


@every_layer
def test_keras_masks(layer):
    case = CASES[layer]
    words = keras.ops.convert_to_tensor([[3, 1, 4, 1, 5], [9, 2, 0, 0, 0], [0, 0, 0, 0, 0]])
    embedded = keras.layers.Embedding(10, WIDTH, mask_zero=True)(words)
    arrays = {name: one for name, one in case.arrays.items() if not name.endswith("mask")}
    name = next(name for name in ("value", "inputs") if name in arrays)
    made = case.make()
    given = keras.tree.flatten(made(**arrays | {name: embedded}))
    for output in given:
        mask = getattr(output, "_keras_mask", None)
        if case.passes_mask:
            np.testing.assert_array_equal(mask, MASK)
        else:
            assert mask is None
    # The mask that comes with a tensor does what the same mask as an argument does.
    plain = {name: np.asarray(embedded)}
    for one, other in zip(given, outputs(made, case.arrays | plain), strict=True):
        np.testing.assert_array_equal(one, other)


def saved(layer, folder):
    """A functional model of the layer, saved: the model, and its file."""
    case = CASES[layer]
    inputs = {
        name: keras.Input(array.shape[1:], dtype=array.dtype.name, name=name)
        for name, array in case.arrays.items()
    }
    model = keras.Model(inputs, case.make()(**inputs))
    path = folder / f"{layer.__name__}.keras"
    model.save(path)
    return model, path


@every_layer
def test_survives_saving(layer, tmp_path):
    model, path = saved(layer, tmp_path)
    loaded = keras.models.load_model(path)
    arrays = CASES[layer].arrays
    for one, other in zip(
        keras.tree.flatten(model(arrays)), keras.tree.flatten(loaded(arrays)), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    configs = [one.get_layer(index=-1).get_config() for one in (model, loaded)]
    assert configs[0] == configs[1]


@pytest.mark.slow
def test_loads_in_a_fresh_process(tmp_path):
    """Whatever name of the room is imported first."""
    paths = [str(saved(layer, tmp_path)[1]) for layer in CASES]
    script = (
        "import sys\n"
        "from ir_attention.models import AttentionPool\n"
        "from keras.models import load_model\n"
        "for path in sys.argv[1:]: load_model(path)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, *paths], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


SIZES = [(layer, name) for layer, case in CASES.items() for name in case.sizes]


@pytest.mark.parametrize(("layer", "name"), SIZES)
def test_sizes_are_positive_integers(layer, name):
    needed = {ScoredAttention: ("concat",), LastStateAttention: ("concat",), MultiHopPool: (3,)}
    arguments = () if name == "hops" else needed.get(layer, ())
    for size in (0, -1, 2.5, True, "2"):
        with pytest.raises(ValueError, match=f"positive integer. Received: {name}="):
            layer(*arguments, **{name: size})
