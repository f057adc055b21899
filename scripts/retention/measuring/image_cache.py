"""That a figure shows images: what it declares beside the tables that it reads."""

from dataclasses import dataclass

from retention.measuring.declaration import DatasetFile


@dataclass(frozen=True)
class ImageCache(DatasetFile):
    """The image cache of a data set, of which `draw` is given a function: sample_index to its thumbnail, RGB.

    Without a cache, as of traces of one's own, `draw` is given nothing.
    """

    name: str = "pixels.npy and layout.parquet of the image cache"
    optional: bool = True
