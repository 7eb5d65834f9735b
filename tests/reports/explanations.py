"""Explanations as plain values for the tests of pages and pictures, with shares by chance."""

import numpy as np

from ir_attention.text import sentences, word_spans

# What people may send, and what may come of it where it is not expected.
HOSTILE = {
    "script": "<script>window.hacked = 1; document.title = 'hacked'</script> closes </script> it.",
    "image": "\"><img src=x onerror='window.hacked = 1'> and <svg onload=hacked()> here.",
    "style": "</style><style>* { display: none }</style> {style} %s &amp; &#60; ']]> --> done.",
    "turned": "first \u202eturned round\u202c last, \u2067open for ever, \u200fmark \u2066x. More.",
    "long": "A word " + "W" * 5000 + " and an address https://e.example/" + "a/" * 300 + " end.",
    "emoji": "All of them 👩‍👩‍👧‍👦 and 🏳️‍🌈 and 👍🏽 and ❤️ and 1️⃣ stay. 🇫🇷!",
    "arabic": "أغلقت المدارس أبوابها في New York City بعد العاصفة. عاد التلاميذ غدا!",
    "marks": "... !!! ??? -- ...",
    "spaces": "  lines\n\n\tand \u00a0 tabs  . \r\n\r\n   Next   one  ",
    "controls": "bell \x07 nul \x00 escape \x1b[31m half \ud800 delete \x7f end.",
}


def explained(query, *sentences, seed=0):
    """Of words alone, as older files have them: each part sums to 1 where it should."""
    rng = np.random.default_rng(seed)
    words = [word for sentence in sentences for word in sentence]
    place = [number for number, sentence in enumerate(sentences) for _ in sentence]

    def shares(*shape):
        return rng.dirichlet(np.full(shape[-1], 0.5), shape[:-1]).tolist()

    return {
        "score": 1.25,
        "query_words": list(query),
        "document_words": words,
        "query_weights": shares(len(query)) if query else [],
        "word_weights": [share for s in sentences for share in (shares(len(s)) if s else [])],
        "sentence_weights": shares(len(sentences)) if sentences else [],
        "sentence_of_word": place,
        "alignment": shares(len(query), len(words)) if words else [[] for _ in query],
        "document_over_query": shares(len(words), len(query)) if query else [[] for _ in words],
    }


def whole(query, document, seed=0, **others):
    """Of texts, with all that `Explanation.to_json` has; `others` take the place of parts."""
    spans = {"query": _spans(query), "document": _spans(document)}
    cut = {
        name: [[text[start:end] for start, end in sentence] for sentence in spans[name]]
        for name, text in (("query", query), ("document", document))
    }
    values = explained([word for sentence in cut["query"] for word in sentence], *cut["document"])
    rng = np.random.default_rng(seed + 1)
    for name, text in (("query", query), ("document", document)):
        values[name] = text
        values[f"{name}_offsets"] = [list(span) for one in spans[name] for span in one]
        values[f"{name}_effects"] = rng.normal(size=len(values[f"{name}_words"])).round(6).tolist()
    return values | {"shading": "attention"} | others


def of_class(document, *, good=0.9, seed=0, **others):
    """What `ClassExplanation.to_json` gives of a text: its class is `good` or `bad`."""
    spans = _spans(document)
    words = [[document[start:end] for start, end in sentence] for sentence in spans]
    values = explained([], *words, seed=seed)
    kept = ("document_words", "word_weights", "sentence_weights", "sentence_of_word")
    found = {name: values[name] for name in kept}
    effects = np.random.default_rng(seed + 1).normal(size=len(found["document_words"]))
    return {
        "label": "good" if good > 0.5 else "bad",
        "classes": ["bad", "good"],
        "probabilities": [1 - good, good],
        "document": document,
        "document_offsets": [list(span) for one in spans for span in one],
        "document_effects": effects.round(6).tolist(),
        **found,
        **others,
    }


def verdict(attention=0.25, effects=1.5, chance=0.5):
    """What a bundle keeps of a model; each interval is .1 to both sides."""
    areas = {"attention": attention, "effects": effects, "random": chance}
    return {
        "data": "test.tsv",
        "pairs": 120,
        "queries": 60,
        "area": {
            order: {
                **{"value": area, "low": area - 0.1, "high": area + 0.1},
                "difference": area - chance,
                **{"difference_low": area - chance - 0.1, "difference_high": area - chance + 0.1},
            }
            for order, area in areas.items()
        },
    }


def curves(beats=True):
    """Losses whose areas are known: of attention 1, of effects 2, at random 0.5.

    `beats` is None where there are too few words to tell.
    """
    shares = np.linspace(0, 1, 11)
    losses = {"attention": 2.0, "effects": 4.0, "random": 1.0, "random_low": -0.5}
    losses["random_high"] = 2.4 if beats is False else 1.6
    return {
        "shares": shares.tolist(),
        **{name: (slope * shares).tolist() for name, slope in losses.items()},
        "orders": 100,
        "areas": {name: slope / 2 for name, slope in losses.items()},
        "as_good": {"attention": 4, "effects": 0},
        "attention_beats_chance": beats,
    }


def _spans(text):
    """Where the words of each sentence stand; a sentence may have none."""
    return [
        [(start + begin, start + stop) for begin, stop in word_spans(text[start:end])]
        for start, end in sentences(text)
    ]
