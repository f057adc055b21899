"""A run that fine-tuning made worse than its warmed-up head: what it lost, the learning rate may have taken."""

MARGIN = 0.05  # of the accuracy: less than that comes and goes with an epoch


def below_its_start(start: float, accuracy: float) -> bool:
    """Return whether a training accuracy lies more than `MARGIN` below that of epoch 0, after head warm-up."""
    return accuracy < start - MARGIN
