"""The memory that indexing and caching many small images takes.

Runs the two commands on folders of generated JPEGs and prints the largest resident memory of each,
its worker processes included one by one.

    python benchmarks/many_images.py                    # 100,000 images, 3 minutes on 2 cores
    python benchmarks/many_images.py --images 3000
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from record import record

SCRIPTS = Path(__file__).parents[1] / "scripts"
CLASSES = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--write", action="store_true", help="write the table that the docs show")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_images(folder / "images", arguments.images)
        (folder / "fetched.yaml").write_text("")
        definition = {"adapter": "imagefolder", "folder": str(folder / "images")}
        shared = ["--dataset", "many", "--definition", json.dumps(definition), "--threads", "2"]
        index = ["--fetched", "fetched.yaml", "--output", "images.parquet"]
        ratios = measured("index", folder, [*shared, *index, "--quarantine", "quarantine.csv"])
        cache = ["--images", "images.parquet", "--size", "32", "--pixels", "pixels.npy"]
        ratios |= measured("cache", folder, [*shared, *cache, "--layout", "layout.parquet"])
    record("many_images", {"images": arguments.images}, ratios, write=arguments.write)


def measured(kind: str, folder: Path, arguments: list[str]) -> dict[str, float]:
    """Run a command; return its seconds and the peak of its resident memory in GB, workers added."""
    script = {"index": "index_dataset.py", "cache": "cache_images.py"}[kind]
    start, peak = time.perf_counter(), 0
    process = psutil.Popen(
        [sys.executable, SCRIPTS / script, *arguments], cwd=folder, stderr=subprocess.DEVNULL
    )
    while process.poll() is None:
        peak = max(peak, resident(process))
        time.sleep(0.2)
    if process.returncode:
        raise SystemExit(f"{script} failed")
    seconds = time.perf_counter() - start
    print(f"{kind}: {seconds:.0f} s, {peak / 1e9:.2f} GB resident in all its processes together")
    return {f"{kind}_seconds": seconds, f"{kind}_resident_gb": peak / 1e9}


def resident(process: psutil.Process) -> int:
    """Return the resident bytes of a process and its children; shared pages count for each."""
    total = 0
    try:
        for each in (process, *process.children(recursive=True)):
            total += each.memory_info().rss
    except psutil.Error:  # one has just ended
        pass
    return total


def write_images(folder: Path, count: int) -> None:
    """Write JPEGs of 32 pixels, a hundred different ones, in a hundred class folders."""
    draws = np.random.default_rng(0)
    contents = []
    for _ in range(100):
        file = folder.parent / "one.jpg"
        Image.fromarray(draws.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(file)
        contents.append(file.read_bytes())
    for c in range(CLASSES):
        (folder / f"{c:03d}").mkdir(parents=True)
    for number in range(count):
        path = folder / f"{number % CLASSES:03d}/{number:06d}.jpg"
        path.write_bytes(contents[number % len(contents)])


if __name__ == "__main__":
    main()
