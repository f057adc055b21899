"""The explorer of a large data set: how large the file is, and how smooth it is in headless Chromium.

Samples of six simulated runs of 30 epochs in 100 classes, their images noise about a few colours, which JPEG likes less than
photographs. Times of frames are those between two calls of `requestAnimationFrame` while the mouse drags over the
plot: 16.7 ms is the display's rhythm. Without Chromium the file alone is measured.

    python benchmarks/explorer.py --write
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from record import record
from scipy.stats import norm

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from retention.commands import build_explorer, describe_samples
from retention.common.parquet_tables import write_parquet

EPOCHS, CLASSES, SIDE = 30, 100, 96
RUNS = [(name, seed) for name in ("resnet", "vit") for seed in range(3)]
FRAMES = """() => { window.frames_seen = []; window.watching = true; let last = performance.now();
  const next = (now) => { frames_seen.push(now - last); last = now; if (watching) requestAnimationFrame(next); };
  requestAnimationFrame(next); }"""
ACTIVATE = "(kind) => { Bokeh.documents[0].get_model_by_name('plot').toolbar.tools.find((tool) => tool.type === kind).active = true; }"

X_START = "() => Bokeh.documents[0].get_model_by_name('plot').x_range.start"
TOLD = "() => document.getElementById('told').textContent"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=6000)
    parser.add_argument("--write", action="store_true", help="write the table that the docs show")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        words = write_study(Path(folder), arguments.samples)
        page = Path(folder) / "explorer.html"
        start = time.perf_counter()
        build_explorer.main([*words, "--output", str(page)])
        ratios = {"build_seconds": time.perf_counter() - start}
        ratios["megabytes"] = page.stat().st_size / 1e6
        print(
            f"{arguments.samples} samples: {ratios['megabytes']:.1f} MB in {ratios['build_seconds']:.1f} s"
        )
        if shutil.which("chromium"):
            ratios |= in_chromium(page)
        else:
            print("there is no chromium: the file alone is measured")
    settings = {"samples": arguments.samples, "runs": len(RUNS), "epochs": EPOCHS}
    record("explorer", settings, ratios, write=arguments.write)


def write_study(folder: Path, samples: int) -> list[str]:
    """Write runs, index and cache; return the options of build_explorer."""
    draws, number = np.random.default_rng(0), np.arange(samples)
    index = pd.DataFrame({"sample_index": number, "label": number % CLASSES})
    index["sample_id"] = [f"class_{n % CLASSES:03d}/photograph_{n:06d}.jpg" for n in number]
    index["path"] = "images/" + index["sample_id"]
    index["class_name"] = [f"{n % CLASSES:03d}.A_species_of_bird" for n in number]
    index["group"], index["split"] = index["sample_id"], np.where(number % 5 == 4, "test", "train")
    write_parquet(folder / "index.parquet", index)
    hardness = draws.normal(size=samples)
    paths = [describe(folder, index, hardness, draws, *run) for run in RUNS]
    traces, described = zip(*paths, strict=True)
    words = ["--samples", *described, "--traces", *traces, "--index", folder / "index.parquet"]
    return [str(word) for word in [*words, "--cache", *write_cache(folder, samples, draws)]]


def describe(
    folder: Path,
    index: pd.DataFrame,
    hardness: np.ndarray,
    draws: np.random.Generator,
    architecture: str,
    seed: int,
) -> tuple[Path, Path]:
    """Write traces of samples that are right the more often the easier they are and the later it is; describe them."""
    traces, described = (
        folder / f"{kind}_{architecture}_{seed}.parquet" for kind in ("traces", "samples")
    )
    ease = np.linspace(-0.5, 1.8, EPOCHS)[:, None] - hardness
    margin = 2 * ease + draws.normal(size=ease.shape)
    right = margin > 0
    label = index["label"].to_numpy()
    table = pd.DataFrame(
        {
            "split": np.tile(index["split"], EPOCHS),
            "sample_index": np.tile(index["sample_index"], EPOCHS),
            "epoch": np.repeat(np.arange(EPOCHS), len(index)),
            "correct": right.ravel(),
            "predicted": np.where(
                right, label, (label + draws.integers(1, 9, right.shape)) % CLASSES
            ).ravel(),
            "loss": np.logaddexp(0, -margin).ravel(),
            "margin": margin.ravel(),
            "confidence": norm.cdf(margin).ravel(),
            "error_norm": (1.2 * norm.cdf(-margin)).ravel(),
        }
    )
    write_parquet(traces, table.sort_values(["split", "epoch", "sample_index"]))
    words = ["--traces", traces, "--index", folder / "index.parquet", "--output", described]
    words += ["--dataset", "birds", "--architecture", architecture, "--seed", seed]
    describe_samples.main([str(word) for word in words])
    return traces, described


def write_cache(folder: Path, samples: int, draws: np.random.Generator) -> list[Path]:
    """Write images of 6 × 6 colours under noise; return the paths of pixels and layout."""
    shape = (samples, SIDE, SIDE, 3)
    pixels = np.lib.format.open_memmap(
        folder / "pixels.npy", "w+", np.uint8, (int(np.prod(shape)),)
    )
    images = pixels.reshape(shape)
    for place in range(samples):
        colours = draws.integers(30, 226, (6, 6, 3)).repeat(SIDE // 6, 0).repeat(SIDE // 6, 1)
        images[place] = np.clip(colours + draws.normal(0, 8, colours.shape), 0, 255)
    pixels.flush()
    layout = pd.DataFrame({"sample_index": np.arange(samples)})
    layout["offset"] = layout["sample_index"] * SIDE * SIDE * 3
    layout["height"] = layout["width"] = SIDE
    write_parquet(folder / "layout.parquet", layout)
    return [folder / "pixels.npy", folder / "layout.parquet"]


def in_chromium(page: Path) -> dict[str, float]:
    """Return milliseconds: to the first paint and until all is there, of frames, from a brush to its table."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
        )
        window = browser.new_page(viewport={"width": 1400, "height": 1000})
        start = time.perf_counter()
        window.goto(page.resolve().as_uri(), wait_until="commit")
        window.set_default_timeout(120_000)
        window.wait_for_selector("#table tbody input")
        ready = time.perf_counter() - start
        paint = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime"
        ratios = {"first_paint_ms": window.evaluate(paint), "ready_ms": 1000 * ready}
        window.wait_for_function("() => Bokeh.documents[0].is_idle")
        for name, tool, shown in (("pan", "PanTool", X_START), ("brush", "BoxSelectTool", TOLD)):
            seen, milliseconds = dragged(window, tool, shown)
            ratios |= {f"{name}_frame_ms_{q}": np.percentile(seen, q) for q in (50, 95)}
        ratios["select_ms"] = milliseconds
        selected = window.inner_text("#told")
        browser.close()
    print(f"{selected} " + ", ".join(f"{name} {value:.0f}" for name, value in ratios.items()))
    return {name: float(value) for name, value in ratios.items()}


@contextmanager
def frames(window) -> Iterator[list[float]]:
    """Yield a list that holds the times of the frames within, in milliseconds."""
    seen: list[float] = []
    window.evaluate(FRAMES)
    yield seen
    seen += window.evaluate("() => { watching = false; return frames_seen.slice(1); }")


def dragged(window, tool: str, shown: str) -> tuple[list[float], float]:
    """Drag with a tool until what is `shown` changes; return the frames' times and that from its end to the new state.

    Bokeh takes for a press what has not moved after 0.3 s, as on a busy machine: then the drag is made again.
    """
    window.evaluate(ACTIVATE, tool)
    before = window.evaluate(shown)
    for _ in range(20):
        with frames(window) as seen:
            drag(window)
        start = time.perf_counter()
        window.mouse.up()
        if window.evaluate(shown) != before:
            return seen, 1000 * (time.perf_counter() - start)
    raise SystemExit(f"{tool}: no drag was taken for one; the machine is too busy to measure")


def drag(window) -> None:
    """Drag over the middle of the plot in a hundred steps, and hold."""
    box = window.locator("#plot").bounding_box()
    left, top = box["x"] + 0.25 * box["width"], box["y"] + 0.25 * box["height"]
    window.mouse.move(left, top)
    window.mouse.down()
    for step in range(100):
        window.mouse.move(left + 20 + 3 * step, top + 2 * step)
        window.wait_for_timeout(5)


if __name__ == "__main__":
    main()
