"""A process that is killed, or memory that is exhausted, names the image."""

import os
import signal

import pytest

from retention.common.errors import UserError
from retention.data.workers import in_order

PATHS = [f"{number:03d}.png" for number in range(150)]


def dies(path):
    """End this process at one path, as the system does where memory is lacking."""
    if path == "141.png":
        os.kill(os.getpid(), signal.SIGKILL)
    return path


def lacks_memory(path):
    if path == "007.png":
        raise MemoryError
    return path


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_paths(workers):
    assert list(in_order(str, PATHS, workers)) == PATHS


def test_the_image_at_which_a_process_is_killed_is_named():
    with pytest.raises(
        UserError, match=r"^141\.png: the process that decodes it is killed"
    ) as raised:
        list(in_order(dies, PATHS, 2))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_image_at_which_memory_is_exhausted_is_named(workers):
    with pytest.raises(
        UserError, match=r"^007\.png: memory is exhausted while it is decoded; make"
    ):
        list(in_order(lacks_memory, PATHS, workers))


def test_a_process_that_is_killed_by_none_alone_is_said(tmp_path):
    once = tmp_path / "once"
    with pytest.raises(
        UserError, match=r"^000\.png: a process was killed at one of the 4 images from here on"
    ):
        list(in_order(KilledOnce(once), PATHS[:4], 2))


class KilledOnce:
    """Ends the first process that comes, and no other."""

    def __init__(self, file):
        self.file = file

    def __call__(self, path):
        try:
            self.file.touch(exist_ok=False)
        except FileExistsError:
            return path
        os.kill(os.getpid(), signal.SIGKILL)
