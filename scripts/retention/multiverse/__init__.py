"""One study, every analytic choice: what each finding's number would be, had its choices been made otherwise.

`choices` has the declared dimensions and levels (resources/multiverse.yaml) and what a user changes of them,
`combinations` lists what is evaluated, `study` and `scores` hold the runs and their scores under each combination,
`estimates` has a part per finding, and `table` and `shares` are what is written. `matching` holds that against reported
numbers: `grids` are the estimates as arrays, `targets` what a number asks, `jointly` and `at_once` all numbers together.
"""
