"""Fonts for names in any script: where matplotlib's own lacks a letter, an installed one that has it."""

import sys
from collections.abc import Iterable
from pathlib import Path

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.font_manager import FontEntry
from matplotlib.ft2font import FT2Font

from retention.common.lists import listed

OWN = "DejaVu Sans"  # ships with matplotlib
REGULAR = 400  # the weight
BOXES = "Last Resort"  # has every letter, as a box


def use_fonts_for(texts: Iterable[str]) -> None:
    """Let what is drawn from now on take letters that matplotlib's own font lacks from installed ones.

    Figures whose texts lack none stay as they are. Where no font has a letter a line on stderr says which
    texts are concerned.
    """
    texts = list(dict.fromkeys(texts))
    wanted = _beyond_own(texts)
    if not wanted:
        mpl.rcParams["font.family"] = mpl.rcParamsDefault["font.family"]
        return
    _look_for_new_fonts()
    families, lacking = fallbacks(wanted)
    mpl.rcParams["font.family"] = [OWN, *families]
    if lacking:
        print(
            f"fonts: {_advice(texts, lacking)}, delete the figures and run again", file=sys.stderr
        )


def advice_on(texts: Iterable[str]) -> str:
    """Return a sentence on the letters in texts that no installed font has, "" where none is lacking."""
    texts = list(dict.fromkeys(texts))
    if wanted := _beyond_own(texts):
        _look_for_new_fonts()
        _, lacking = fallbacks(wanted)
        return _advice(texts, lacking) if lacking else ""
    return ""


def _beyond_own(texts: Iterable[str]) -> set[str]:
    """Return the letters that matplotlib's own font lacks."""
    own = letters_of(font_manager.fontManager.findfont(OWN))
    return {letter for text in texts for letter in text if letter.isprintable()} - own


def _advice(texts: Iterable[str], lacking: set[str]) -> str:
    concerned = [text for text in texts if lacking & {*text}]
    return (
        f"no installed font has {listed(sorted(lacking))}, which figures draw as boxes in: {listed(concerned)}; "
        "install one that has them, such as Noto Sans CJK (fonts-noto-cjk) for East Asian scripts, Noto Sans (fonts-noto-core) "
        "for others, Symbola (fonts-symbola) for emoji"
    )


def fallbacks(letters: set[str]) -> tuple[list[str], set[str]]:
    """Return installed font families that together have the letters, few, and the letters that none has.

    The family that has most of what is lacking comes first, the first by name of equals.
    """
    covered = {name: letters & letters_of(path, face) for name, (path, face) in _families().items()}
    families, lacking = [], set(letters)
    while best := max(covered, key=lambda name: len(covered[name] & lacking), default=None):
        if not covered[best] & lacking:
            break
        families.append(best)
        lacking -= covered[best]
    return families, lacking


def letters_of(path: str | Path, face: int = 0) -> set[str]:
    """Return the letters that a font file has, none for a file that matplotlib cannot draw from."""
    try:
        font = FT2Font(str(path), face_index=face)
    except (RuntimeError, OSError):
        return set()
    return {chr(code) for code in font.get_charmap()} if font.scalable else set()


def _families() -> dict[str, tuple[str, int]]:
    """Return file and face of the upright font of each installed family that is nearest to regular, by name."""
    entries = [
        entry
        for entry in font_manager.fontManager.ttflist
        if entry.style == "normal" and BOXES not in entry.name
    ]
    entries.sort(key=lambda entry: (entry.name, -abs(_weight(entry) - REGULAR), entry.fname))
    return {entry.name: (entry.fname, entry.index) for entry in entries}


def _weight(entry: FontEntry) -> int:
    weight = entry.weight
    return font_manager.weight_dict[weight] if isinstance(weight, str) else weight


def _look_for_new_fonts() -> None:
    """Make known the fonts that were installed since matplotlib listed them for this user."""
    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    for path in sorted(set(font_manager.findSystemFonts()) - known):
        try:
            font_manager.fontManager.addfont(path)
        except (RuntimeError, OSError, KeyError):  # no font that matplotlib can read
            continue
