"""Property tests with some examples in the quick suite, and with many among the slow tests."""

import functools

import pytest
from hypothesis import given, settings

__all__ = ["few_or_many"]


def few_or_many(few, many, **strategies):
    """Makes a test of a function that checks one example, drawn from the strategies."""

    def decorate(check):
        @pytest.mark.parametrize("examples", [few, pytest.param(many, marks=pytest.mark.slow)])
        def test(examples):
            @settings(max_examples=examples, deadline=None)
            @given(**strategies)
            @functools.wraps(check)
            def drawn(**example):
                check(**example)

            drawn()

        test.__doc__ = check.__doc__
        return test

    return decorate
