"""A test that was killed leaves a Slurm behind; the next one ends it and starts its own."""

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from cluster_study import running_slurm
from one_node_slurm import ETC, FILES, alive

ABANDON = """
import os, sys
from pathlib import Path
sys.path[:0] = [sys.argv[1], str(Path(sys.argv[1]).parent / "helpers")]
from one_node_slurm import Slurm
slurm = Slurm(Path(sys.argv[2]), accounts=True)
slurm.install()
slurm.start()
os._exit(0)  # as SIGKILL does it: nothing is stopped
"""
DAEMONS = ("slurmctld", "slurmd", "slurmdbd")


def processes(folder: Path) -> dict[str, int]:
    """Return the process ids of the daemons that wrote one into a folder."""
    files = [folder / f"{name}.pid" for name in DAEMONS]
    return {path.stem: int(path.read_text()) for path in files if path.exists()}


def test_a_slurm_that_a_killed_test_left_is_ended(tmp_path):
    for slurm in running_slurm(tmp_path / "first"):  # where none can run, this skips
        before = processes(slurm.folder)
        assert set(before) == {"slurmctld", "slurmd"}
    assert not any(alive(process, name) for name, process in before.items())

    left = tmp_path / "left"
    here = str(Path(__file__).parent)
    subprocess.run([sys.executable, "-c", ABANDON, here, str(left)], check=True, env=os.environ)
    abandoned = processes(left)
    assert set(abandoned) == set(DAEMONS)
    assert all(alive(process, name) for name, process in abandoned.items())

    for slurm in running_slurm(tmp_path / "second", accounts=True):
        assert not any(alive(process, name) for name, process in abandoned.items())
        assert "idle" in slurm.ask("sinfo", "-h", "-p", "gpu", "-o", "%T")
    assert not any((ETC / name).exists() for name in FILES)
