"""What the old version says of runs and of half-trained ones: whether it made them as they are."""

from collections.abc import Mapping, Sequence

from retention.workflow.adoption.candidates import Candidate, as_trained, changed_inputs
from retention.workflow.adoption.command import Command
from retention.workflow.adoption.leaving_out import leave_out
from retention.workflow.adoption.old_tree import options_of
from retention.workflow.adoption.questions import code_versions, identities
from retention.workflow.adoption.states import begun_otherwise, in_words_of, state_commands
from retention.workflow.adoption.upgrade import Upgrade

Answer = dict[str, str] | str


def made_by_old(upgrade: Upgrade, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Leave out the runs that the old version did not make, or begin, or made from other files than there are.

    Runs of this version are passed on as they are.
    """
    asked = [one for one in candidates if not one.is_of_today]
    codes = _codes(upgrade, asked)
    runs = [one for one in asked if one.state is None]
    states = [one for one in asked if one.state is not None]
    kept = [
        *_made(upgrade, runs, codes),
        *_begun(upgrade, states, [one for one in candidates if one.state is None], codes),
    ]
    return [*(one for one in candidates if one.is_of_today), *kept]


def _made(upgrade: Upgrade, runs: Sequence[Candidate], codes: Mapping[str, str]) -> list[Candidate]:
    commands = [as_trained(run, code_version=codes[run.sampler]) for run in runs]
    told = dict(zip(runs, _told(upgrade, commands), strict=True))
    return leave_out(
        runs,
        lambda run: changed_inputs(run, told[run]),
        f"not adopted, since {upgrade.old.name} did not make them as they are",
        upgrade.said,
    )


def _begun(
    upgrade: Upgrade,
    states: Sequence[Candidate],
    runs: Sequence[Candidate],
    codes: Mapping[str, str],
) -> list[Candidate]:
    """Leave out what the old version did not begin; return the others in the words by which it began them."""
    config = upgrade.graph.config
    ways = {
        state: state_commands(state, config, codes[state.sampler], _like(state, runs))
        for state in states
    }
    every = iter(_told(upgrade, [command for commands in ways.values() for command in commands]))
    told = {state: [next(every) for _ in commands] for state, commands in ways.items()}
    kept = leave_out(
        states,
        lambda state: begun_otherwise(state, told[state]),
        f"half-trained, not begun by {upgrade.old.name} as the configuration says; start anew",
        upgrade.said,
    )
    return [
        in_words_of(state, ways[state][told[state].index(state.facts["digests"])]) for state in kept
    ]


def _like(state: Candidate, runs: Sequence[Candidate]) -> Mapping:
    """Return run.yaml of a finished run whose settings the same code said in its own words, {} for none."""
    for run in runs:
        if run.place == state.place and run.facts["code_version"] == state.facts["code_version"]:
            return run.facts
    return {}


def _codes(upgrade: Upgrade, candidates: Sequence[Candidate]) -> dict[str, str]:
    """Return the old version's code version of fine-tuning, by sampler."""
    samplers = sorted({one.sampler for one in candidates})
    asked = [("finetune", {"retention.samplers": [name]}) for name in samplers]
    return dict(zip(samplers, code_versions(upgrade.old.folder, asked), strict=True))


def _told(upgrade: Upgrade, commands: Sequence[Command]) -> list[Answer]:
    options = options_of(upgrade.old, "finetune") if commands else ()
    known = [command.known(options) for command in commands]
    return identities(upgrade.old.folder, known, upgrade.scratch / "asked")
