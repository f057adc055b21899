"""One module per sampler, of the name it has in treatment definitions, and nothing else.

Each declares itself as `SAMPLER` (`retention.sampling.declaration`) and has, where it is scheduled,

`scores(sources)`: the scores of the samples by name, float [R, N] over the source runs, NaN where a sample
has none; their presentations are in proportion to the first. `facts(sources)`, where it has one: what
else is to be known of the schedule, in words;

and else `make(known)`: what gives each epoch's order (`retention.sampling.orders.EpochOrder`).

Who reads a declaration may have no numpy, as Snakemake where conda or containers bring the software: a module
imports what computes in its functions. To add one, see CONTRIBUTING.md.
"""
