"""Texts written out without some of their words."""


def without(text, numbers):
    """The text without the words of these numbers; its `!` stay, and end sentences as before."""
    words = text.split()
    for number in numbers:
        words[number] = "!" if words[number].endswith("!") else ""
    return " ".join(word for word in words if word)
