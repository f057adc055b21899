"""What is recorded of a sample, from its logits: the same measures as fine-tuning takes, without torch.

`retention.training.tracking.measure` does it on torch's tensors. Both compute in float32 by the same formulas;
`tests/recorder/test_recorder_values.py` holds them together. One function for both would change the digest of every
training, and finished studies would train again.
"""

from collections.abc import Mapping

import numpy as np

MEASURED = {
    "correct": np.dtype(bool),
    "loss": np.dtype(np.float32),
    "margin": np.dtype(np.float32),
    "confidence": np.dtype(np.float32),
    "error_norm": np.dtype(np.float32),
    "predicted": np.dtype(np.int16),
}
REAL = ("loss", "margin", "confidence", "error_norm")
BLOCK = 1 << 18  # logits that are worked on at a time: 1 MB, which stays in a core's cache
SUM_TOLERANCE = 1e-3  # how far from 1 the sum of half-precision probabilities may lie


def measure(logits: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Return each sample's measures, arrays [B], from finite logits [B, C] and labels, int [B].

    Cross-entropy; margin = true logit minus the largest other; confidence = softmax probability of the label;
    error norm = ‖softmax − one-hot‖₂ (EL2N: Paul et al., NeurIPS 2021). Computed in float32, a block at a time.
    predicted is int16, int32 of more classes than that has numbers. Of equal logits the first counts.
    """
    count, classes = logits.shape
    kinds = MEASURED | {"predicted": kind_of_class(classes)}
    found = {name: np.empty(count, kind) for name, kind in kinds.items()}
    rows = max(1, BLOCK // classes)
    for start in range(0, count, rows):
        chosen = slice(start, start + rows)
        for name, values in _of_block(logits[chosen], labels[chosen]).items():
            found[name][chosen] = values
    return found


def kind_of_class(classes: int) -> np.dtype:
    """Return the type that a class's number is recorded as."""
    return np.dtype(np.int16 if classes <= np.iinfo(np.int16).max else np.int32)


def _of_block(logits: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    # In rows: of columns the sums would be rounded in another order.
    logits = np.ascontiguousarray(logits, dtype=np.float32)
    label = (np.arange(len(labels)), labels)
    largest = logits.max(axis=1)
    powers = np.exp(logits - largest[:, None])
    total = powers.sum(axis=1)
    true = logits[label] - largest - np.log(total)
    confidence = np.exp(true)
    powers[label] = 0
    rest = np.einsum("bc,bc->b", powers, powers) / (total * total)
    others = logits.copy()
    others[label] = -np.inf
    predicted = logits.argmax(axis=1)
    return {
        "correct": predicted == labels,
        "loss": -true,
        "margin": logits[label] - others.max(axis=1),
        "confidence": confidence,
        "error_norm": np.sqrt(rest + np.square(confidence - 1)),
        "predicted": predicted,
    }


def not_finite(logits: np.ndarray) -> np.ndarray:
    """Return bool [B]: whether a row of logits [B, C] has NaN or an infinity, as float32."""
    bad = np.empty(len(logits), dtype=bool)
    rows = max(1, BLOCK // logits.shape[1])
    for start in range(0, len(logits), rows):
        chosen = slice(start, start + rows)
        with np.errstate(over="ignore"):
            block = np.asarray(logits[chosen], dtype=np.float32)
        # NaN and +inf show in the largest, -inf in the smallest.
        bad[chosen] = ~(np.isfinite(block.max(axis=1)) & np.isfinite(block.min(axis=1)))
    return bad


def are_probabilities(rows: np.ndarray) -> np.ndarray:
    """Return bool [B]: whether a row [B, C] has nothing below 0 and the sum 1."""
    rows = np.asarray(rows, dtype=np.float32)
    return (rows.min(axis=1) >= 0) & (np.abs(rows.sum(axis=1) - 1) <= SUM_TOLERANCE)


def logits_of(probabilities: np.ndarray) -> np.ndarray:
    """Return logits, float32 [B, C], whose softmax gives the probabilities.

    What float32 can not tell from 0 counts as its smallest number, 1e-38: a loss of 87 at the most.
    """
    return np.log(np.maximum(probabilities, np.finfo(np.float32).tiny, dtype=np.float32))


def disagree(
    one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray], tolerance: float
) -> np.ndarray:
    """Return bool [B]: whether two evaluations of the same samples differ by more than rounding.

    Numbers may differ by `tolerance` times one plus their size. `correct` may differ where the margin says that
    rounding decides it, and nowhere else.
    """
    differs = np.zeros(len(next(iter(one.values()))), dtype=bool)
    for name in set(one) & set(REAL):
        first = one[name].astype(float)
        differs |= np.abs(first - other[name]) > tolerance * (1 + np.abs(first))
    if "margin" not in one:
        differs |= one["correct"] != other["correct"]
    return differs
