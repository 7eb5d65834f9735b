"""Records of SMART and files of columns, as several data sets are published."""

import re

import pytest

from ir_attention.data.official import read_columns, read_smart
from ir_attention.errors import DataError


def test_records_of_smart(tmp_path):
    path = tmp_path / "all"
    path.write_text(
        "\n.I 1\n.T\nkites in\n a  gale .\n.A\nfry,j.\n.W\none\n.5 m of line\n.W\ntwo\n"
        ".I  002 \nno marker\n.W \n.A\n.B\n"
    )
    assert read_smart(path, "TABW") == [
        {"I": "1", "T": "kites in a gale .", "A": "fry,j.", "B": "", "W": "one .5 m of line two"},
        {"I": "002", "T": "", "A": "", "B": "", "W": "no marker"},
    ]
    # Where there is one field, other letters begin none.
    (first, _) = read_smart(path, "W")
    assert first == {"I": "1", "W": ".T kites in a gale . .A fry,j. one .5 m of line two"}
    path.write_text("\nwords\n")
    with pytest.raises(DataError, match=r"all, line 2: must begin with \.I. Received: 'words'"):
        read_smart(path, "W")


def test_a_file_for_each_column(tmp_path):
    (tmp_path / "a.toks").write_text("one  two\nthree\n")
    (tmp_path / "sim.txt").write_text("1\n 0\n")
    assert read_columns(tmp_path, ["a.toks", "sim.txt"]) == [["one two", "1"], ["three", "0"]]
    (tmp_path / "sim.txt").write_text("1\n2\n")
    message = f"{re.escape(str(tmp_path / 'sim.txt'))}, line 2: must be 0 or 1. Received: '2'"
    with pytest.raises(DataError, match=message):
        read_columns(tmp_path, ["a.toks", "sim.txt"])
    (tmp_path / "sim.txt").write_text("1\n")
    with pytest.raises(DataError, match=r"as many lines. Received: \[2, 1\]"):
        read_columns(tmp_path, ["a.toks", "sim.txt"])
