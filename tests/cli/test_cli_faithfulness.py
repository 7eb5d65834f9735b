"""`faithfulness`: the table, the words and the JSON of it."""

import json
import shutil

import pandas as pd
import pytest
from cli_calls import good, mistake

from ir_attention.bundle import Bundle
from ir_attention.ranking.faithfulness import faithfulness


def test_the_table_says_what_python_says(bundle, ranker, pairs):
    said = good("faithfulness", bundle, pairs, "-n", 9, "--seed", 4, "--no-gradient").stdout
    found = faithfulness(ranker, pairs, limit=9, seed=4, gradient=False)
    lines = said.splitlines()
    assert lines[0].split() == "erased first area comprehensiveness sufficiency tau".split()
    assert [line.split("  ")[0] for line in lines[1:4]] == ["attention", "leave-one-out", "random"]
    area = found.value("attention", "area")
    assert "{value:.2f} ({low:.2f} to {high:.2f})".format(**area) in lines[1]
    assert "-0.00" not in said
    assert [line.split("  ")[0] for line in lines[5:8]] == [
        *("more than random", "attention", "leave-one-out")
    ]
    assert lines[-4].startswith("9 pairs of ") and "95 % intervals" in lines[-4]
    assert lines[-3:] == found.sentences()


def test_json_and_gradients(bundle, pairs):
    result = good("faithfulness", bundle, pairs, "-n", 5, "--json")
    values = json.loads(result.stdout)
    assert list(values["orders"]) == [
        *("attention", "effects", "gradient", "gradient_input", "random")
    ]
    assert values["pairs"] == 5
    assert set(values["orders"]["gradient"]) == {
        *("area", "comprehensiveness", "sufficiency", "tau")
    }


def test_columns_of_ones_own_and_what_was_passed_over(bundle, tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("Headline,Tweet\na comet,so the comet is near\na flood,wow\n")
    named = ["--query", "Headline", "--document", "Tweet", "--no-gradient"]
    result = good("faithfulness", bundle, path, *named)
    assert "1 pairs of 1 queries" in result.stdout
    assert result.stderr == "1 pairs passed over: texts too short or too long\n"


@pytest.mark.parametrize("text", ["text_left,text_right,label\na,b c d e,0\n"])
def test_nothing_to_look_at_is_one_line(bundle, tmp_path, text):
    path = tmp_path / "none.csv"
    path.write_text(text)
    assert "no pair is relevant" in mistake("faithfulness", bundle, path, "--no-gradient")


def test_the_page_the_picture_and_the_pairs(bundle, ranker, pairs, tmp_path):
    for name in ("o.html", "o.png", "o.csv"):
        asked = ["faithfulness", bundle, pairs, "-n", 5, "--no-gradient", "-o", tmp_path / name]
        assert good(*asked).stdout == ""
    found = faithfulness(ranker, pairs, limit=5, gradient=False)
    page = (tmp_path / "o.html").read_text()
    assert "of pairs.tsv" in page and page.count("<polyline") == 3
    assert (tmp_path / "o.png").read_bytes().startswith(b"\x89PNG")
    frame = pd.read_csv(tmp_path / "o.csv")
    pd.testing.assert_frame_equal(frame, found.pairs, check_dtype=False)
    out = tmp_path / "o.gif"
    assert "must end in .html, .png, .csv" in mistake("faithfulness", bundle, pairs, "-o", out)


def test_the_verdict_is_kept_on_request_and_shown_by_explain(bundle, pairs, tmp_path):
    folder = tmp_path / "news"
    shutil.copytree(bundle, folder)
    asked = ["faithfulness", folder, pairs, "-n", 9, "--no-gradient"]
    good(*asked)
    assert "faithfulness" not in Bundle.load(folder).settings
    assert "was not measured" in shown(folder, tmp_path)
    assert good(*asked, "--keep").stderr == f"the verdict is kept with {folder}\n"
    assert Bundle.load(folder).settings["faithfulness"]["data"] == "pairs.tsv"
    assert "Measured on 9 pairs of" in shown(folder, tmp_path)
    lines = good("explain", folder, "flood in Oslo", "a flood").stdout.splitlines()
    assert lines[-3].startswith("Attention explains this model")
    assert lines[-1].startswith("Measured on 9 pairs of")


def shown(folder, home):
    page = home / "o.html"
    good("explain", folder, "flood in Oslo", "So the flood near #Oslo.", "-o", page)
    return page.read_text()
