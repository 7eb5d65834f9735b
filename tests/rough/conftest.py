"""Files and bundles that the tests of rough handling spoil."""

import pytest

from ir_attention.bundle import Bundle


@pytest.fixture
def write(tmp_path):
    def write(content, name="pairs.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """A bundle that is quick to make and to read."""
    parts = {"settings": {"model": "bm25", "bm25": {"k1": 1.2, "b": 0.75}}, "vocabulary": {}}
    return Bundle(**parts, weights={}).save(tmp_path_factory.mktemp("words") / "bm25")


@pytest.fixture(scope="module")
def han(toy_trained):
    return toy_trained[0].folder
