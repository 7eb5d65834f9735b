"""MatchZoo's text units without downloads; vocabularies that are numbered the same each time."""

from __future__ import annotations

import functools
import re
import string
from typing import Any

from ir_attention.errors import MissingExtra

__all__ = ["mend"]

_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
_MARKS = re.compile(rf"([{re.escape(string.punctuation)}])\1*")


def mend(matchzoo: Any) -> None:
    """Puts the functions below in place of MatchZoo's own."""
    units = matchzoo.preprocessors.units
    units.Tokenize.transform = _tokenize
    units.PuncRemoval.transform = _remove_punctuation
    units.StopRemoval.__init__ = _stop_init
    units.StopRemoval.transform = _remove_stop_words
    units.Lemmatization.transform = _lemmatize(units.Lemmatization.transform)
    units.Vocabulary.fit = number
    units.FixedLength.transform = _with_centring(units.FixedLength.transform)


def _tokenize(self: Any, input_: str) -> list[str]:
    """The words of a text, as `ir_attention.text.words` gives them, and the marks between them.

    Each mark of punctuation is a token, a run of one mark (`...`, `--`) a single one.
    """
    from ir_attention.text import word_spans

    tokens, at = [], 0
    for start, end in [*word_spans(input_), (len(input_), len(input_))]:
        between = input_[at:start]
        if between.strip():
            tokens += [mark.group() for mark in _MARKS.finditer(between)]
        tokens.append(input_[start:end])
        at = end
    return tokens[:-1]  # the last one is the end of the text


def _remove_punctuation(self: Any, input_: list[str]) -> list[str]:
    """The tokens without the punctuation of ASCII in them; where nothing is left, none at all."""
    return [left for left in (token.translate(_NO_PUNCTUATION) for token in input_) if left]


def _stop_init(self: Any, lang: str = "english") -> None:
    """Takes the stop words of `ir_attention.text` for English, NLTK's for another language."""
    from ir_attention.text import STOP_WORDS

    self._lang = lang
    self._stop = sorted(STOP_WORDS) if lang == "english" else _nltk_stop_words(lang)
    self._stop_set = frozenset(self._stop)


def _nltk_stop_words(lang: str) -> list[str]:
    import nltk

    try:
        return nltk.corpus.stopwords.words(lang)
    except (LookupError, OSError) as error:
        raise MissingExtra(
            "Stop words of languages other than English are NLTK's: `python -m nltk.downloader "
            f"stopwords` once, and use a name that it knows. Received: lang={lang!r}"
        ) from error


def _remove_stop_words(self: Any, input_: list[str]) -> list[str]:
    """The tokens that are no stop words; case counts, so lower-case them first."""
    return [token for token in input_ if token not in self._stop_set]


def _lemmatize(transform: Any) -> Any:
    @functools.wraps(transform)
    def lemmatize(self: Any, input_: list[str]) -> list[str]:
        try:
            return transform(self, input_)
        except LookupError as error:
            raise MissingExtra(
                "Lemmatization needs NLTK's WordNet: `python -m nltk.downloader wordnet` once. "
                f"Stemming() needs no data. Received: {len(input_)} tokens"
            ) from error

    return lemmatize


def number(self: Any, tokens: Any) -> None:
    """Gives each term its id: 0 is padding, 1 a term unknown, the rest from 2 in sorted order.

    MatchZoo numbers them in the order of a set, which `PYTHONHASHSEED` decides on.
    """
    terms = [self._pad, self._oov, *sorted(set(tokens))]
    # In this order, a term that is written like the padding takes over its name, as it always did.
    self._context["term_index"].update((term, index) for index, term in enumerate(terms))
    self._context["index_term"].update(enumerate(terms))


def _with_centring(transform: Any) -> Any:
    """Adds `pad_mode="both"`: texts stand in the middle, an odd zero goes to the right."""

    @functools.wraps(transform)  # progress bars show the name
    def fix(self: Any, input_: list[Any]) -> list[Any]:
        if self._pad_mode != "both":
            return transform(self, input_)
        length = self._text_length
        kept = list(input_[-length:] if self._truncate_mode == "pre" else input_[:length])
        before = (length - len(kept)) // 2
        after = length - len(kept) - before
        return [self._pad_value] * before + kept + [self._pad_value] * after

    return fix
