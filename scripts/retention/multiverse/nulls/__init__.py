"""What is exchanged where a finding has nothing to find, and its numbers under every exchange, a module per finding.

VERSIONS: their names, the first is the finding's own. TWO_SIDED: whether a number below its mean counts, too. AVERAGED: whether
all comparisons point in one direction, so that their mean says something. EXHAUSTIVE: whether each possible exchange is
taken once where there are fewer than asked for. STATISTIC: of the rows that are tested.
`permuted(frame, scores, listed, version, times)` returns by (combination, comparison) float [1 + times]: the number in the
data, then under each exchange. One exchange is applied to all combinations. It raises `NotTestable`.
`said(frame, version)` is what a reader should know of the exchanges, "" where that is nothing.
"""
