"""backend: what is held back and when it comes out; what is loaded, and what is not."""

import os
import subprocess
import sys
import tempfile
import warnings

import pytest

from ir_attention.backend import quiet


def run(code, **environment):
    """Runs code in a fresh process; returns what it wrote to stdout and to stderr."""
    process = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout, process.stderr


def test_noise_is_held_back_and_forgotten(capfd):
    with quiet():
        os.write(2, b"from C++")
        print("from Python", file=sys.__stderr__)
        warnings.warn("from a library", stacklevel=1)
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"


def test_noise_comes_out_if_the_block_fails(capfd):
    with pytest.raises(ImportError, match="broken"), quiet():
        os.write(2, b"no such library\n")
        raise ImportError("broken")
    assert capfd.readouterr().err == "no such library\n"


def test_blocks_nest(capfd):
    with quiet():
        with pytest.raises(KeyError), quiet():
            os.write(2, b"inner")
            raise KeyError
        os.write(2, b"outer")
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"


def test_a_folder_for_scratch_files_is_not_needed(capfd, monkeypatch):
    def refuse():
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with quiet():
        os.write(2, b"noise")
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"


def test_no_descriptor_is_leaked():
    with quiet():
        pass
    before = os.dup(1)
    os.close(before)
    for _ in range(3):
        with quiet():
            pass
    after = os.dup(1)
    os.close(after)
    assert after == before  # the lowest free one


def test_stderr_may_be_closed():
    code = (
        "import os, sys; from ir_attention.backend import quiet\n"
        "os.close(2)\n"
        "with quiet(): pass\n"
        "try: os.fstat(2)\n"
        "except OSError: print('still closed')"
    )
    assert run(code) == ("still closed\n", "")


def test_nothing_is_loaded_before_it_is_asked_for():
    code = (
        "import sys; import ir_attention.backend\n"
        "print(sorted({'keras', 'tensorflow', 'jax', 'numpy', 'matchzoo'} & set(sys.modules)))"
    )
    assert run(code) == ("[]\n", "")


def test_names_are_those_of_keras():
    from ir_attention import backend

    assert backend.keras is backend.load_keras() is sys.modules["keras"]
    assert backend.ops is backend.keras.ops
    assert backend.layers is backend.keras.layers
    with pytest.raises(AttributeError, match="has no attribute 'np'"):
        backend.np  # noqa: B018


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_a_fit_is_quiet_and_loads_one_backend_alone(backend):
    code = (
        "import sys; from ir_attention.backend import keras, ops\n"
        "model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])\n"
        "model.compile('adam', 'mse', jit_compile=True)\n"
        "model.fit(ops.ones((5, 3)), ops.ones((5, 2)), verbose=0)\n"
        "print(keras.config.backend(), 'tensorflow' in sys.modules)"
    )
    out, err = run(code, KERAS_BACKEND=backend)
    assert out == f"{backend} {backend == 'tensorflow'}\n"
    assert err == ""
