"""Where a figure's module lies: beside its finding, or in a folder of `retention/figures`."""

from retention.common.parts import PACKAGE

PREFIX = "draw_"


def figure_homes() -> dict[str, tuple[str, str]]:
    """Return (room, part) of every figure, by its name, without importing any."""
    return {
        path.stem.removeprefix(PREFIX): (f"retention.{room}", path.parent.name)
        for room in ("findings", "figures")
        for path in sorted(PACKAGE.glob(f"{room}/*/{PREFIX}*.py"))
    }
