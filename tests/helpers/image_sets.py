"""Small image sets in the exact layout of the real ones."""

import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

OCTDL_CLASSES = {"AMD": 24, "DME": 12, "ERM": 9, "NO": 14, "RAO": 12, "RVO": 9, "VID": 8}
OCTDL_COLUMNS = (
    "file_name,disease,subcategory,condition,patient_id,eye,sex,year,image_width,image_hight"
)
TWO_CLASS_PATIENT = "P0"  # has an image of the first and of the last class


def jpeg(seed: int, size=(40, 30)) -> bytes:
    draws = np.random.default_rng(seed)
    image = Image.fromarray(draws.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))
    stream = io.BytesIO()
    image.save(stream, "JPEG")
    return stream.getvalue()


def octdl_rows() -> pd.DataFrame:
    """Return labels with the real columns, up to three images of a patient."""
    rows = []
    for name, count in OCTDL_CLASSES.items():
        for number in range(count):
            patient = f"P{name}{number // (3 if name == 'AMD' else 1)}"
            if (name, number) in (("AMD", 0), ("VID", 0)):
                patient = TWO_CLASS_PATIENT
            rows.append(
                [f"{name.lower()}_{number}", name, "", "", patient, "OD", "F", 2020, 40, 30]
            )
    return pd.DataFrame(rows, columns=OCTDL_COLUMNS.split(","))


def write_octdl(folder: Path, skip: int = 0) -> None:
    """Write OCTDL.zip and OCTDL_labels.csv; the labels are shuffled, `skip` images left out."""
    rows = octdl_rows()
    rows.sample(frac=1, random_state=1).to_csv(folder / "OCTDL_labels.csv", index=False)
    with zipfile.ZipFile(folder / "OCTDL.zip", "w") as archive:
        for number, row in enumerate(rows.itertuples()):
            if number >= skip:
                archive.writestr(f"OCTDL/{row.disease}/{row.file_name}.jpg", jpeg(number))


def write_cub(folder: Path, classes: int = 3, per_class: int = 6) -> None:
    """Write CUB_200_2011.tgz; in images.txt the rows do not stand in the order of the labels."""
    names = [f"{c + 1:03d}.Bird_{c}" for c in range(classes)]
    rows = [
        (c, f"{names[c]}/Bird_{c}_{i:04d}.jpg") for c in range(classes) for i in range(per_class)
    ]
    ids = range(1, len(rows) + 1)
    tables = {
        "images.txt": [
            f"{i} {path}" for i, (_, path) in reversed(list(zip(ids, rows, strict=True)))
        ],
        "image_class_labels.txt": [f"{i} {c + 1}" for i, (c, _) in zip(ids, rows, strict=True)],
        "train_test_split.txt": [f"{i} {i % 2}" for i in ids],
        "classes.txt": [f"{c + 1} {name}" for c, name in enumerate(names)],
        "bounding_boxes.txt": [f"{i} 0.0 0.0 10.0 10.0" for i in ids],
    }
    with tarfile.open(folder / "CUB_200_2011.tgz", "w:gz") as archive:
        for name, lines in tables.items():
            add(archive, f"CUB_200_2011/{name}", "\n".join(lines).encode() + b"\n")
        for number, (_, path) in enumerate(rows):
            add(archive, f"CUB_200_2011/images/{path}", jpeg(number))


def add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def write_places(folder, *places, each):
    """Write images into the places below a folder."""
    for number, place in enumerate(places):
        (folder / place).mkdir(parents=True)
        for i in range(each):
            (folder / place / f"{i}.jpg").write_bytes(jpeg(10 * number + i, (8, 8)))
