"""Where a figure's module lies: beside its finding, or in a folder of `retention/figures`."""

from retention.common.parts import SOURCES

PREFIX = "draw_"


def figure_homes() -> dict[str, tuple[str, str]]:
    """Return (room, part) of every figure, by its name, without importing any."""
    return {
        path.stem.removeprefix(PREFIX): (f"retention.{room}", path.parent.name)
        for room in ("findings", "figures")
        for path in sorted(SOURCES.glob(f"retention/{room}/*/{PREFIX}*.py"))
    }
