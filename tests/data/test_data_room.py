"""The face of the room: what is listed is there, sorted, and loaded on first use."""

import subprocess
import sys

import pytest

from ir_attention import data


def test_names():
    assert data.__all__ == sorted(data.__all__)
    for name in data.__all__:
        assert getattr(data, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'read_all'"):
        _ = data.read_all


def test_the_room_itself_loads_nothing():
    code = "import sys, ir_attention.data; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
