"""What a combination's scores say of a finding, a module per finding.

Its `estimates(frame, scores, levels)` yields an `Estimate` per comparison; `measured(runs, statistics)` is the
finding's own table, in which the study's own combination stands; `lacking(study)` says why a study has no such
number; `values(scores, levels)` is what is scored, float [R, N], or None where no sample is. RANKED: that estimates depend on
the ranks of these within each run alone, where runs are compared as they are.
"""
