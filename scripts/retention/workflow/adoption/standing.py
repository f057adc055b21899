"""What a run.yaml stands for: the code of its last adoption, or that which made it."""

from collections.abc import Mapping


def standing_version(facts: Mapping) -> str:
    """Return the code version that a run.yaml stands for: that of the last adoption, or its own."""
    adopted = facts.get("adopted") or [{"to": facts["code_version"]}]
    return adopted[-1]["to"]


def standing_digests(facts: Mapping) -> dict[str, str]:
    """Return what the version that a run.yaml stands for calls the things that the run depends on."""
    adopted = facts.get("adopted") or [{}]
    return adopted[-1].get("digests") or facts.get("digests") or {}
