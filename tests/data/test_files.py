"""read_table: what stands in a file, and errors that say which line is wrong."""

import csv
import gzip
import io
import json

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ir_attention.data.files import load_table, read_table
from ir_attention.errors import DataError


@pytest.fixture
def write(tmp_path):
    def write(content, name="a.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def refuses(path, message, **options):
    """Whether the error is exactly the message, `FILE` standing for the path."""
    with pytest.raises(DataError) as caught:
        read_table(path, **options)
    assert str(caught.value) == message.replace("FILE", str(path))


def test_csv_as_the_rfc_says(write):
    table = read_table(write('a,"b ""c"""\r\n"1, 2","x\r\ny"\r\n,"say ""no"""\r\n5" pipe,NA\r\n'))
    assert table.to_dict("list") == {
        "a": ["1, 2", "", '5" pipe'],
        'b "c"': ["x\r\ny", 'say "no"', "NA"],
    }


def test_tsv_has_no_quotes(write):
    table = read_table(write('a\tb\n"x\t1\ny"\t""\n', "a.tsv"))
    assert table.to_dict("list") == {"a": ['"x', 'y"'], "b": ["1", '""']}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_any_line_end_and_byte_order_mark(write, end, mark, name):
    split = "," if name == "a.csv" else "\t"
    lines = [split.join(row) for row in (("a", " b "), ("é", "1"), ("", "😀"))]
    table = read_table(write(mark + end.join([*lines, "", ""]), name))
    assert table.to_dict("list") == {"a": ["é", ""], "b": ["1", "😀"]}


def test_json_lines(write):
    lines = '\ufeff{"a": "x\\ny", "b": 1}\n\n{"c": [2], "a": null}\r\n'
    table = read_table(write(lines, "a.jsonl"))
    assert table.to_dict("list") == {"a": ["x\ny", None], "b": [1, None], "c": [None, [2]]}
    assert load_table(write(lines, "a.jsonl")).place(1).endswith("a.jsonl, line 3")


def test_parquet_and_packed_files(write, tmp_path):
    frame = pd.DataFrame({"a": ["x", "y"], "b": [1, 2]})
    frame.to_parquet(tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(read_table(tmp_path / "a.parquet"), frame)
    packed = gzip.compress((tmp_path / "a.parquet").read_bytes())
    pd.testing.assert_frame_equal(read_table(write(packed, "b.parquet.gz")), frame)
    packed = gzip.compress(b"a,b\nx,1\ny,2\n")
    assert read_table(write(packed, "a.csv.gz")).a.tolist() == ["x", "y"]
    assert read_table(write(b"a,b\nx,1\n", "a.data"), format="csv").b.tolist() == ["1"]


FIELDS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), max_size=8
) | st.sampled_from(['"', '""', ",", "\n", "\r\n", '",', ',"', "a\tb", " x ", "\ufeff", "'"])


@given(st.lists(st.tuples(FIELDS, FIELDS), min_size=1, max_size=5), st.booleans())
@settings(max_examples=100, deadline=None)
def test_csv_round_trip(tmp_path_factory, rows, every):
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL if every else csv.QUOTE_MINIMAL)
    writer.writerows([("a", "b"), *rows])
    path = tmp_path_factory.getbasetemp() / "round.csv"
    path.write_bytes(text.getvalue().encode())
    assert list(read_table(path).itertuples(index=False, name=None)) == rows
    # The line of each row, as Python's own reader counts them.
    reader = csv.reader(io.StringIO(text.getvalue(), newline=""))
    ends = [reader.line_num for _ in reader]
    if not any("\r" in value.replace("\r\n", "") for row in rows for value in row):
        place = load_table(path).place
        assert [place(row) for row in range(len(rows))] == [
            f"{path}, line {end + 1}" for end in ends[:-1]
        ]


NAMES = "must have rows below the names of columns."
QUOTES = (
    "a field that begins with a quote must end with one, before a comma or the end of a line, and "
    "quotes inside it must be doubled."
)
BROKEN = {
    "empty": ("a.csv", "", "FILE: must not be empty. Received: 0 bytes without content."),
    "blank": (
        "a.tsv",
        "\ufeff\n \n",
        "FILE: must not be empty. Received: 6 bytes without content.",
    ),
    "names only": ("a.csv", "a,b\n", f"FILE: {NAMES} Received: ['a', 'b']."),
    "names only, no line end": ("a.csv", "a,b", f"FILE: {NAMES} Received: ['a', 'b']."),
    "a name twice": (
        "a.csv",
        "a,b,a\n1,2,3\n",
        "FILE: must name each column once. Received: ['a', 'b', 'a'].",
    ),
    "too few fields": (
        "a.csv",
        'a,b\n"x\ny",1\n\n1\n2,3,4\n',
        "FILE, line 5: 1 fields, but the first line names 2. A text with a comma, a quote or a "
        "line break must stand in quotes. Received: ['1'] (2 of 3 rows are like this).",
    ),
    "too many fields": (
        "a.tsv",
        "a\tb\n1\t2\n1\t2\t3\n",
        "FILE, line 3: 3 fields, but the first line names 2. A text must not contain a tab or a "
        "line break. Received: ['1', '2', '3'] (1 of 2 rows are like this).",
    ),
    "a quote not closed": (
        "a.csv",
        'a,b\n1,"x\n2,y\n3,"z"\n',
        f'FILE, line 2: {QUOTES} Received: \'"x\\n2,y\\n3,"z"\\n\'.',
    ),
    "a quote closed in the last line only": (
        "a.csv",
        'a,b\n1,2\n2,"x\n',
        f"FILE, line 3: {QUOTES} Received: '\"x\\n'.",
    ),
    "a quote inside": (
        "a.csv",
        'a,b\r\n"x\r\n",2\r\n2,"He "said" x"\r\n',
        f'FILE, line 4: {QUOTES} Received: \'"He "said" x"\\r\\n\'.',
    ),
    "not UTF-8": (
        "a.tsv",
        b"a\tb\n1\t2\n1\tcaf\xe9 au lait\n\xff\t1\n",
        "FILE, line 3: not UTF-8. Save the file as UTF-8, or convert it. Received: "
        "b'1\\tcaf\\xe9 au lait' (2 lines are like this).",
    ),
    "UTF-16": (
        "a.csv",
        "a,b\n1,2\n".encode("utf-16"),
        "FILE, line 1: not UTF-8. Save the file as UTF-8, or convert it. Received: "
        "b'\\xff\\xfea\\x00,\\x00b\\x00' (1 lines are like this).",
    ),
    "JSON not UTF-8": (
        "a.jsonl",
        b'{"a": 1}\n{"a": "\xe9"}\n',
        "FILE, line 2: not UTF-8. Save the file as UTF-8, or convert it. Received: "
        'b\'{"a": "\\xe9"}\' (1 lines are like this).',
    ),
    "JSON cut short": (
        "a.jsonl",
        '{"a": 1}\n{"a": \n{"a": 2}\n[1]\n',
        "FILE, line 2: must be one JSON object. Received: '{\"a\": ' (2 of 4 lines are like this).",
    ),
    "two JSON objects": (
        "a.jsonl",
        ' {"a": 1} {"a": 2}\n',
        'FILE, line 1: must be one JSON object. Received: \' {"a": 1} {"a": 2}\' '
        "(1 of 1 lines are like this).",
    ),
    "a JSON array": (
        "a.json",
        '["x"]',
        "FILE, line 1: must be one JSON object. Received: '[\"x\"]' (1 of 1 lines are like this).",
    ),
    "JSON without an object": ("a.jsonl", "{}", f"FILE: {NAMES} Received: []."),
    "not gzip": (
        "a.csv.gz",
        "a,b\n1,2\n",
        "FILE: must be a whole gzip file. Received: 8 bytes (Not a gzipped file (b'a,')).",
    ),
    "gzip cut short": (
        "a.csv.gz",
        gzip.compress(b"a,b\n1,2\n", mtime=0)[:-9],
        "FILE: must be a whole gzip file. Received: 19 bytes (Compressed file ended before the "
        "end-of-stream marker was reached).",
    ),
    "another format": (
        "a.xlsx",
        "PK",
        "FILE: the format must be one of ['csv', 'tsv', 'jsonl', 'parquet'], given by format= or "
        "by the end of the name (.csv, .tsv, .tab, .txt, .jsonl, .ndjson, .json, .parquet, .pq, "
        "each also with .gz). Received: '.xlsx'.",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_errors_say_where_and_what(write, name):
    file, content, message = BROKEN[name]
    refuses(write(content, file), message)


def test_other_errors(write, tmp_path):
    with pytest.raises(DataError, match=r"must be a whole Parquet file. Received: "):
        read_table(write("PAR1", "a.parquet"))
    with pytest.raises(DataError, match=r"format must be one of .* Received: 'excel'\."):
        read_table(write("a,b\n1,2\n"), format="excel")
    with pytest.raises(FileNotFoundError, match="none.csv"):
        read_table(tmp_path / "none.csv")


def test_a_long_value_is_cut_in_the_error(write):
    with pytest.raises(DataError) as caught:
        read_table(write(json.dumps(["x" * 10_000]), "a.jsonl"))
    assert len(str(caught.value)) < 300


def test_a_field_of_a_million_characters(write):
    assert read_table(write(f'a,b\n"{"x, " * 500_000}",1\n')).a[0] == "x, " * 500_000
