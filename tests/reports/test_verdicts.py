"""What is known of a model's attention, in sentences and on its card."""

import pytest
from explanations import verdict

from ir_attention.reports.verdicts import explains, read_verdict, with_verdict


def numbers(value, difference, wide=0.1):
    return {
        **{"value": value, "low": value - wide, "high": value + wide, "difference": difference},
        **{"difference_low": difference - wide, "difference_high": difference + wide},
    }


@pytest.mark.parametrize(
    ("difference", "claim"),
    [(0.2, "better than"), (0.05, "no better than"), (-0.05, "no better than"), (-0.2, "worse")],
)
def test_the_claim_is_what_the_interval_of_the_difference_says(difference, claim):
    said = explains("attention", numbers(0.5 + difference, difference), numbers(0.5, 0))
    assert said.startswith(f"Attention explains this model {claim}")


def test_a_sentence_has_all_numbers_and_no_minus_before_zero():
    own, chance = numbers(1.0, 0.5, wide=0.5004), numbers(0.5, 0)
    assert explains("effects", own, chance) == (
        "Leaving out each word explains this model no better than chance: erasing words in its "
        "order takes 1.00 (0.50 to 1.50) off the score, 2.0 times the 0.50 (0.40 to 0.60) of "
        "random orders; the difference is 0.50 (0.00 to 1.00)."
    )
    # Of a loss below zero, so many times would mean nothing.
    said = explains("attention", numbers(0.5, 0.6), numbers(-0.1, 0))
    assert "off the score, beside the -0.10 (-0.20 to 0.00) of random orders" in said


def test_what_is_read_tells_which_order_beats_chance():
    found = read_verdict(verdict(attention=0.25, effects=1.5, chance=0.5))
    assert found.beats_chance == {"attention": False, "effects": True}
    assert found.on == "120 pairs of 60 queries of test.tsv"
    assert read_verdict(verdict() | {"data": None}).on == "120 pairs of 60 queries"


def test_a_card_gets_a_section_and_another_takes_its_place():
    card = "# han\n\nText.\n\n## Training\n\nSeed 7.\n"
    once = with_verdict(card, verdict())
    assert once.startswith(card + "\n## Is that why?\n\nOn 120 pairs of 60 queries of test.tsv, ")
    assert once.count("\n- ") == 2 and once.endswith(").\n")
    assert with_verdict(once, verdict()) == once
    other = with_verdict(once + "\n## Notes\n\nMine.\n", verdict(attention=3.0))
    assert other.count("## Is that why?") == 1
    assert other.startswith(card) and other.endswith("\n## Notes\n\nMine.\n")
    assert "takes 3.00" in other and "takes 0.25" not in other
    assert with_verdict("", verdict()).startswith("## Is that why?")
