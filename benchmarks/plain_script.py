"""Fine-tuning with a record of every sample, the way most people would write it: the baseline.

ImageFolder, a DataLoader with two persistent workers, fp32, a clean evaluation after each epoch, and
a dict that holds every sample's results.
"""

import math
import time
from collections.abc import Iterator
from pathlib import Path

import timm
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


def fine_tune(
    folder: Path,
    architecture: dict,
    recipe: dict,
    seed: int,
    weights: dict | None = None,
    history: dict | None = None,
) -> Iterator[dict]:
    """Fine-tune on folder/train; yield each epoch's seconds and held-out accuracy, epoch 0 first."""
    torch.manual_seed(seed)
    torch.set_num_threads(recipe["threads"])
    history = {} if history is None else history
    size = architecture["image_size"]
    keywords = architecture.get("model_kwargs", {})
    train_loader, clean_loaders = make_loaders(folder, architecture["timm"], size, recipe)
    classes = len(train_loader.dataset.classes)
    model = timm.create_model(architecture["timm"], num_classes=classes, **keywords)
    if weights:
        model.load_state_dict(weights, strict=False)
    criterion = nn.CrossEntropyLoss()

    start = time.perf_counter()
    head = model.get_classifier()
    optimizer = torch.optim.AdamW(head.parameters(), lr=recipe["head_warmup"]["learning_rate"])
    model.eval()
    for _ in range(recipe["head_warmup"]["epochs"]):
        for images, labels in clean_loaders["shuffled"]:
            with torch.no_grad():
                features = model.forward_head(model.forward_features(images), pre_logits=True)
            loss = criterion(head(features), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    yield evaluate(model, clean_loaders, criterion, history) | {"train_seconds": None}

    heads = set(head.parameters())
    groups = [
        {"params": [p for p in model.parameters() if p not in heads]},
        {"params": list(heads), "lr": recipe["head_learning_rate"]},
    ]
    rate, decay = recipe["learning_rate"], recipe["weight_decay"]
    optimizer = torch.optim.AdamW(groups, lr=rate, weight_decay=decay)
    steps = recipe["epochs"] * len(train_loader)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: 0.5 * (1 + math.cos(math.pi * step / steps))
    )
    for _ in range(recipe["epochs"]):
        start = time.perf_counter()
        model.train()
        for images, labels in train_loader:
            loss = criterion(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        trained = time.perf_counter() - start
        yield evaluate(model, clean_loaders, criterion, history) | {"train_seconds": trained}


def make_loaders(folder: Path, name: str, size: int, recipe: dict):
    """Return the training loader and the clean ones by name."""
    configuration = timm.get_pretrained_cfg(name)
    normalise = transforms.Normalize(configuration.mean, configuration.std)
    low_high = tuple(recipe["augmentation"]["crop_scale"])
    varied = transforms.Compose(
        [
            transforms.RandomResizedCrop(size, scale=low_high),
            *([transforms.RandomHorizontalFlip()] if recipe["augmentation"].get("flip") else []),
            transforms.ToTensor(),
            normalise,
        ]
    )
    clean = transforms.Compose(
        [transforms.Resize(size), transforms.CenterCrop(size), transforms.ToTensor(), normalise]
    )
    usual = {"batch_size": recipe["batch_size"], "num_workers": 2, "persistent_workers": True}
    train = datasets.ImageFolder(folder / "train", varied)
    clean_train = datasets.ImageFolder(folder / "train", clean)
    test = datasets.ImageFolder(folder / "test", clean)
    loaders = {
        "train": DataLoader(clean_train, **usual),
        "test": DataLoader(test, **usual),
        "shuffled": DataLoader(clean_train, shuffle=True, **usual),
    }
    return DataLoader(train, shuffle=True, **usual), loaders


def evaluate(model, loaders, criterion, history: dict) -> dict:
    """Record every sample; return the seconds that took and the held-out accuracy."""
    start = time.perf_counter()
    model.eval()
    right = {}
    with torch.no_grad():
        for split in ("train", "test"):
            paths = iter(loaders[split].dataset.samples)
            hits = []
            for images, labels in loaders[split]:
                logits = model(images)
                losses = nn.functional.cross_entropy(logits, labels, reduction="none")
                probabilities = logits.softmax(dim=1)
                predicted = logits.argmax(dim=1)
                for i in range(len(labels)):
                    path, _ = next(paths)
                    label = labels[i].item()
                    correct = predicted[i].item() == label
                    history.setdefault(path, []).append(
                        {
                            "correct": correct,
                            "loss": losses[i].item(),
                            "confidence": probabilities[i, label].item(),
                            "predicted": predicted[i].item(),
                        }
                    )
                    hits.append(correct)
            right[split] = sum(hits) / len(hits)
    seconds = time.perf_counter() - start
    return {"evaluation_seconds": seconds, "test_accuracy": right["test"]}
