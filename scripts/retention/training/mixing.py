"""Mixup and cutmix: training images that are made of two, with the labels of both."""

from collections.abc import Mapping

import torch


class Mixing:
    """Mixes the images of each batch by torchvision, where the recipe asks for it.

    Mixup (Zhang et al., ICLR 2018) blends two images; cutmix (Yun et al., ICCV 2019) puts a rectangle
    of one into another. Where both are asked for, chance decides for each batch. torchvision
    draws from torch's global generator: it is lent the state of one of ours, and gets its own back.
    """

    def __init__(self, recipe: Mapping, classes: int, seed: int):
        shares = {name: recipe["augmentation"][name] for name in ("mixup", "cutmix")}
        self.transform = _transform(shares, classes) if any(shares.values()) else None
        self.drawn = torch.Generator().manual_seed(seed).get_state()

    def __call__(
        self, batch: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mixed images [B, 3, S, S] and class shares, float32 [B, C]; or both as they are.

        labels: int64 [B]; on the CPU no GPU waits for them.
        """
        if self.transform is None:
            return batch, labels
        with torch.random.fork_rng(devices=()):
            torch.set_rng_state(self.drawn)
            mixed = self.transform(batch, labels)
            self.drawn = torch.get_rng_state()
        return mixed


def _transform(shares: Mapping[str, float], classes: int) -> torch.nn.Module:
    from torchvision.transforms import v2  # takes half a second to import, and few runs need it

    kinds = {"mixup": v2.MixUp, "cutmix": v2.CutMix}
    return v2.RandomChoice(
        [
            kinds[name](alpha=alpha, num_classes=classes)
            for name, alpha in shares.items()
            if alpha > 0
        ]
    )
