"""The most forgotten samples in one file beside a gallery's pages, from which the report shows them in a row."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from retention.common.errors import UserError
from retention.pages.cards import Cards

FILE = "most_forgotten.json"
COUNT = 12  # samples in a row


@dataclass(frozen=True)
class Forgotten:
    """A sample in the row.

    page: of its class, in the gallery; picture: an address that holds the thumbnail itself; width, height: pixels;
    taken_for: the classes that it was taken for most often when it was forgotten, none where traces are unknown.
    """

    sample_id: str
    class_title: str
    page: str
    picture: str
    width: int
    height: int
    taken_for: tuple[str, ...]


def write_strip(places: Sequence[int], cards: Cards, folder: Path) -> None:
    """Write the first of some places of a sheet into a gallery's folder; an empty list without pictures."""
    shown = [found for place in places[:COUNT] if (found := _forgotten(int(place), cards, folder))]
    text = json.dumps([asdict(found) for found in shown], ensure_ascii=False, indent=1)
    (folder / FILE).write_text(text + "\n", encoding="utf-8")


def read_strip(path: Path) -> list[Forgotten]:
    """Return what `write_strip` wrote; raise `UserError` where the file is another."""
    try:
        return [_read(found) for found in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"{path}: holds no list of forgotten samples; build the gallery anew (scripts/build_gallery.py)"
        ) from error


def _forgotten(place: int, cards: Cards, folder: Path) -> Forgotten | None:
    card = cards.of(place, ())
    if card.picture is None:
        return None
    jpeg = base64.b64encode((folder / card.picture.file).read_bytes()).decode()
    taken = cards.taken_for(place)
    return Forgotten(
        sample_id=card.sample_id,
        class_title=card.class_title,
        page=card.page,
        picture=f"data:image/jpeg;base64,{jpeg}",
        width=card.picture.width,
        height=card.picture.height,
        taken_for=taken.classes if taken else (),
    )


def _read(found: Mapping) -> Forgotten:
    return Forgotten(**{**found, "taken_for": tuple(found["taken_for"])})
