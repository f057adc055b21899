"""Taking a finished study to another version of the code that gives the same bytes.

`old_tree` finds the old version, `graph` what Snakemake would run, `candidates` the runs that may be
taken over, `trainers` and `remaking` make things with both versions and hold them against each other
(`comparison`), `records` writes what was found. `adopting` leads from one to the next.
"""
