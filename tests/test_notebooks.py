"""What the tests of notebooks take for a path of a machine."""

from notebooks import PATH


def test_what_is_a_path():
    for text in ("see /tmp/x", "'/home/me/a.csv'", "C:\\Users", "lib/site-packages/x", "/work/a"):
        assert PATH.search(text), text
    for text in ("https://example.org/data/x", "../../datasets/a", "train/dev", "</tmp>", "1/2"):
        assert not PATH.search(text), text
