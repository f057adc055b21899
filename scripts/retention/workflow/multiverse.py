"""The multiverse in a study's configuration: what it asks for, what is wrong with it, what its job depends on."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping
from functools import cache

from retention.common.digests import digest_of
from retention.common.errors import UserError
from retention.common.options import complete
from retention.common.parts import load_part
from retention.measuring.declaration import Figure
from retention.multiverse.choices import load_choices, plans_of
from retention.multiverse.combinations import combinations_of
from retention.multiverse.options import (
    KEY,
    complete_options,
    options_without_defaults,
)


def asked_multiverse(config: Mapping, made: Collection[str]) -> dict:
    """Return the options that differ from the defaults; of the findings those that the study makes."""
    options = complete_options(config.get(KEY, {}))
    return options_without_defaults({**options, "findings": evaluated_findings(config, made)})


def evaluated(options: Mapping) -> list[str]:
    """Return the findings that are measured under every choice; options: those of `asked_multiverse`."""
    return complete_options(options)["findings"]


def evaluated_findings(config: Mapping, made: Collection[str]) -> list[str]:
    """Return the findings that are measured under every choice; made: those that the study makes."""
    return [name for name in complete_options(config.get(KEY, {}))["findings"] if name in made]


def keep_what_is_said(config: MutableMapping) -> None:
    """Take the options at their defaults out of a configuration: it is a job's parameter, and an older study's has none."""
    said = options_without_defaults(config.pop(KEY, {}))
    if said:
        config[KEY] = said


def multiverse_faults(config: Mapping, made: Collection[str]) -> Iterator[str]:
    """Yield a line per dimension or level that there is not, and per finding of too many combinations or none.

    config: of the right shape; made: the findings that the study makes.
    """
    try:
        multiverse_digest(asked_multiverse(config, made), config["statistics"])
    except UserError as error:
        yield from str(error).splitlines()


def multiverse_digest(options: Mapping, statistics: Mapping) -> str:
    """Return a digest of all combinations: the file that declares them is no code.

    Raises `UserError` with a line per dimension or level that there is not, and where combinations are too many or none.
    """
    return _digest(json.dumps([complete_options(options), complete("statistics", statistics)]))


@cache  # a study is asked twice: whether it is faultless, and what its job depends on
def _digest(asked: str) -> str:
    """Return the digest of the combinations of [options, statistics], complete and as JSON."""
    found = _combinations(*json.loads(asked))
    return digest_of(
        {
            name: [[one.kind, one.own, one.named, dict(one.levels)] for one in combinations]
            for name, combinations in found.items()
        }
    )


def multiverse_figures(findings: Iterable[str]) -> dict[str, Figure]:
    """Return the figure of each finding that is evaluated under every choice, by name."""
    declared = [load_part("retention.figures", f"multiverse_{name}").FIGURE for name in findings]
    return {figure.name: figure for figure in declared}


def _combinations(options: Mapping, statistics: Mapping) -> dict:
    choices = load_choices()
    plans = plans_of(choices, options, statistics, KEY)
    return {
        name: combinations_of(choices, plan, options["most"], KEY) for name, plan in plans.items()
    }
