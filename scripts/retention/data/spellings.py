"""Spellings of one name: what people, tables and keyboards write differently and mean alike."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_TYPED = str.maketrans(
    dict.fromkeys("’‘‛ʼ′`´＇", "'") | dict.fromkeys("“”„‟″", '"') | dict.fromkeys("‐‑‒–—―−﹣", "-")
)
# Letters that look like Latin ones in print: those of Unicode's confusables that keyboards have.
_LATIN = {
    "CYRILLIC": ("АВЕЅІЈКМНОРСТУХаеѕіјорсухһԁԛԝ", "ABESIJKMHOPCTYXaesijopcyxhdqw"),
    "GREEK": ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEZHIKMNOPTYXo"),
}
_JOINED = re.compile(r"(?<=[^\W_])[\s_-]+(?=[^\W_])")
_BLANKS = re.compile(r"(?<!\d)\s+|\s+(?!\d)")  # those between two digits part two numbers
_WHOLE = re.compile(r"(-?\d+)\.0*")
_ONE_NUMBER = re.compile(r"(\D*?)(?<![.,])0*(\d+)(\D*)")  # .05 is not .5


@lru_cache(maxsize=200_000)
def spellings(name: str) -> frozenset[str]:
    """Return forms of a name, any of which it shares with each name that is the same but for its spelling.

    No matter are blanks, case, Unicode form, invisible characters, typographic quotes and dashes, a `_` in place of
    a blank or hyphen, zeros before a number and `.0` after it, and letters of another script that look alike.
    """
    forms: set[str] = set()
    for text in (name, *_in_one_script(name)):
        plain = _plain(text)
        forms |= {_number(_BLANKS.sub("", plain)), _number(_spaced(plain))}
    return frozenset(forms - {""} or {""})


def alike(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the names, sorted, of which several are one but for their spelling, together."""
    found: dict[str, set[str]] = {}
    for name in sorted(names):
        together = {name}.union(*(found.get(form, ()) for form in spellings(name)))
        for other in together:
            found.update(dict.fromkeys(spellings(other), together))
    return sorted({tuple(sorted(several)) for several in found.values() if len(several) > 1})


def seen(name: str) -> str:
    """Return what is seen of a name in print: names that look alike are the same then."""
    plain = "".join(c for c in name if not _invisible(c)).translate({0x2010: "-", 0x2011: "-"})
    for others, latin in _LATIN.values():
        plain = plain.translate(str.maketrans(others, latin))
    return unicodedata.normalize("NFC", plain)


def _plain(text: str) -> str:
    """Return a text in small letters without what is not seen, its quotes and dashes those of a typewriter."""
    if not any(map(str.isalnum, text)):  # of signs alone each may be a class
        return unicodedata.normalize("NFKC", "".join(c for c in text if not _invisible(c)))
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_TYPED)).translate(_TYPED)
        text = "".join(c for c in text if not _invisible(c))
        return unicodedata.normalize("NFKC", text.casefold())
    return text.replace("`", "'").lower()


def _invisible(character: str) -> bool:
    """Return whether a character only formats its neighbours: joiners, marks of direction, selectors of a variant."""
    return unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f"


def _spaced(text: str) -> str:
    """Return a text with one blank in place of each `_`, and of each hyphen that joins two words."""

    def blank(match: re.Match) -> str:
        minus = match[0][-1] == "-" and match[0] != "-" and text[match.end()].isdigit()
        return " -" if minus else " "

    return re.sub(r"[\s_]+", " ", _JOINED.sub(blank, text)).strip()


def _number(text: str) -> str:
    """Return a text without the zeros before its number, where it holds one, or after the point: 001, 17.0, P01."""
    if whole := _WHOLE.fullmatch(text):
        text = whole[1]
    one = _ONE_NUMBER.fullmatch(text)
    return "".join(one.groups()) if one else text


def _in_one_script(name: str) -> list[str]:
    """Return a name that mixes Latin letters with others in either script, as far as letters look alike."""
    if name.isascii():
        return []
    scripts = {unicodedata.name(c, "").partition(" ")[0] for c in name if c.isalpha()}
    texts = []
    for script, (others, latin) in _LATIN.items():
        if {script, "LATIN"} <= scripts:
            texts += [
                name.translate(str.maketrans(a, b)) for a, b in ((others, latin), (latin, others))
            ]
    return texts
