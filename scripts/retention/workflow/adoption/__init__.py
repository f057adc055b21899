"""Taking a finished study to another version of the code that gives the same bytes.

`adopting` leads through it. `old_tree` finds the old version, `graph` what Snakemake would run. `candidates` are
the finished runs, `states` the half-trained ones; `old_version` and `backbones` say which of them may be taken
over, and `leaving_out` tells of the others. `fetched`, `remaking` and `trainers` hold what both versions make
against each other (`comparison`). `records` writes what was found.
"""
