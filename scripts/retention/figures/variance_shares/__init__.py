"""Whether forgetting depends on the class, the image, the architecture or the run."""

from retention.measuring.declaration import DatasetFile, Figure

FIGURE = Figure(
    name="variance_shares",
    title="What forgetting depends on: class, image, architecture or run",
    caption=(
        "Shares of the variance of the samples' scores over all runs, by ranks, with 95 % intervals. Black is what every run "
        "shares, grey what the runs of one architecture share, pale what is one run's alone. A diamond is the share by the scores "
        "themselves, of which a few samples can be nearly all. The last line holds what no run repeats, chance among it. "
        "A share below 0 is an estimate of about none. How much more one architecture forgets than another is no part of it."
    ),
    reads={"finding": DatasetFile("findings/seed_stability.csv")},
)
