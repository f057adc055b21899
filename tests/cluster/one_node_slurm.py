"""A real Slurm on this machine alone, with two declared GPUs: installed, started and stopped.

With `accounts` it writes them to a database, as most clusters do; without, as it comes.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psutil
from debian import apt_install

PACKAGES = ("munge", "slurmctld", "slurmd", "slurm-client")
DATABASE_PACKAGES = ("slurmdbd", "mariadb-server")
MARK = "# written by tests/cluster\n"
ETC = Path("/etc/slurm")  # fixed: the srun inside a job looks nowhere else
CONFIGURATION = """ClusterName=lab
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,requeue_delay=1
SlurmdParameters=config_overrides
ReturnToService=1
MinJobAge=3600
KillWait=2
OverTimeLimit=0
JobAcctGatherType=jobacct_gather/none
{accounting}
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=64000 Gres=gpu:2 State=UNKNOWN
NodeName=elsewhere NodeAddr=127.0.0.1 Port=7999 CPUs=8 RealMemory=64000 State=DOWN
PartitionName=cpu Nodes={host} Default=YES MaxTime=60 State=UP OverSubscribe=NO
PartitionName=gpu Nodes={host} MaxTime=60 State=UP
PartitionName=no_gpu Nodes=elsewhere MaxTime=60 State=UP
"""
NO_ACCOUNTS = "AccountingStorageType=accounting_storage/none"
ACCOUNTS = """AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort=7031
AccountingStorageEnforce=associations"""
FILES = ("slurm.conf", "gres.conf", "slurmdbd.conf")
DATABASE_CONFIGURATION = """AuthType=auth/munge
DbdHost=localhost
DbdPort=7031
SlurmUser=root
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=7032
StorageUser=slurm
StoragePass=test
StorageLoc=slurm
LogFile={folder}/slurmdbd.log
PidFile={folder}/slurmdbd.pid
# the database below it: PidFile={home}/mariadbd.pid
"""


def why_not() -> str | None:
    """Return why no Slurm can be made here, `None` where it can."""
    if os.geteuid() != 0:
        return "needs root, to install and start a Slurm"
    if not Path("/etc/debian_version").exists():
        return "needs Debian, whose packages it installs"
    present = ETC / "slurm.conf"
    if present.exists() and not present.read_text().startswith(MARK):
        return f"{present}: this machine belongs to a Slurm already"
    return None


class Slurm:
    """The controller, one node and munge; `stop` ends what `start` began."""

    def __init__(self, folder: Path, accounts: bool = False):
        self.folder, self.host = folder, socket.gethostname().split(".")[0]
        self.accounts, self.munge_is_ours = accounts, False

    def install(self) -> None:
        packages = PACKAGES + (DATABASE_PACKAGES if self.accounts else ())
        wanted = ["munged", "slurmctld", "slurmd", "sbatch"]
        wanted += ["slurmdbd", "mariadbd"] if self.accounts else []
        if all(shutil.which(name) for name in wanted):
            return
        apt_install(*packages)

    def start(self) -> None:
        end_leftovers()
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True)
        ETC.mkdir(exist_ok=True)
        accounting = ACCOUNTS if self.accounts else NO_ACCOUNTS
        text = CONFIGURATION.format(host=self.host, folder=self.folder, accounting=accounting)
        (ETC / "slurm.conf").write_text(MARK + text)
        gpus = f"NodeName={self.host} Name=gpu Count=2 File=/dev/zero,/dev/full\n"
        (ETC / "gres.conf").write_text(MARK + gpus)
        if subprocess.run(["munge", "-n"], capture_output=True).returncode:
            self.munge_is_ours = True
            for place in ("/run/munge", "/var/log/munge"):
                subprocess.run(["install", "-d", "-o", "munge", "-g", "munge", place], check=True)
            subprocess.run(["runuser", "-u", "munge", "--", "/usr/sbin/munged"], check=True)
        if self.accounts:
            self.start_database()
        for daemon in ("slurmctld", "slurmd"):
            subprocess.run([daemon, "-c"], check=True)
        wait_for(lambda: "idle" in self.ask("sinfo", "-h", "-p", "gpu", "-o", "%T"), "an idle node")

    def start_database(self) -> None:
        """Start a database of our own and, above it, what writes Slurm's accounts."""
        home = Path(tempfile.mkdtemp(prefix="slurm-accounts-"))  # the database's user must reach it
        shutil.chown(home, "mysql", "mysql")
        self.socket, data = home / "socket", f"--datadir={home}/data"
        install = ["mariadb-install-db", "--user=mysql", data]
        subprocess.run(install, check=True, capture_output=True)
        server = ["mariadbd", "--no-defaults", "--user=mysql", data, f"--socket={self.socket}"]
        server += ["--port=7032", "--bind-address=127.0.0.1", f"--pid-file={home}/mariadbd.pid"]
        with open(self.folder / "mariadb.log", "w") as log:
            self.database = subprocess.Popen(server, stdout=log, stderr=log)
        client = ["mariadb", f"--socket={self.socket}", "--user=root", "--execute"]
        wait_for(
            lambda: subprocess.run([*client, "select 1"], capture_output=True).returncode == 0,
            "a database",
        )
        for statement in (
            "create database slurm",
            "create user slurm@localhost identified by 'test'",
            "create user slurm@127.0.0.1 identified by 'test'",
            "grant all on slurm.* to slurm@localhost",
            "grant all on slurm.* to slurm@127.0.0.1",
        ):
            subprocess.run([*client, statement], check=True)
        path = ETC / "slurmdbd.conf"
        path.write_text(MARK + DATABASE_CONFIGURATION.format(folder=self.folder, home=home))
        path.chmod(0o600)
        subprocess.run(["slurmdbd"], check=True)
        answers = ["sacctmgr", "--immediate", "add", "cluster", "lab"]
        wait_for(
            lambda: "lab" in subprocess.run(answers, capture_output=True, text=True).stdout,
            "accounts",
        )

    def stop(self) -> None:
        try:
            subprocess.run(["scancel", "--full", "--user=root"], capture_output=True)
            wait_for(lambda: not self.ask("squeue", "-h"), "an empty queue")
        finally:  # whether or not Slurm still answers
            end_leftovers()
            if self.munge_is_ours:
                end(Path("/run/munge/munged.pid"))

    def ask(self, *command: str) -> str:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def jobs(self) -> list[dict[str, str]]:
        """Return Slurm's record of every job since the start, in the order of submission."""
        records = self.ask("scontrol", "show", "job", "--oneliner").splitlines()
        jobs = [dict(re.findall(r"(\w+)=(\S*)", line)) for line in records if "JobId=" in line]
        return sorted(jobs, key=lambda job: int(job["JobId"]))

    def jobs_of(self, rule: str) -> list[dict[str, str]]:
        """Return the records of one rule's jobs: the executor writes the rule into the comment."""
        return [job for job in self.jobs() if job.get("Comment", "").startswith(f"rule_{rule}")]

    def steps(self) -> list[psutil.Process]:
        """Return the daemons that watch over the steps of jobs: one each, gone when its step is."""
        return [p for p in psutil.process_iter(["name"]) if p.info["name"] == "slurmstepd"]

    def set_node(self, state: str) -> None:
        self.ask("scontrol", "update", f"NodeName={self.host}", f"State={state}", "Reason=test")


def end_leftovers() -> None:
    """End the daemons that configurations with our mark name, and take these away.

    They are this test's, or those of one that was killed, on whose ports no other could start.
    """
    for path in (ETC / name for name in FILES):
        if not path.exists() or not path.read_text().startswith(MARK):
            continue
        pidfiles = [Path(name) for name in re.findall(r"PidFile=(\S+)", path.read_text())]
        for pidfile in pidfiles:  # as they stand there: the database after what writes to it
            end(pidfile)
            if pidfile.stem == "mariadbd":
                shutil.rmtree(pidfile.parent, ignore_errors=True)
        path.unlink()


def end(pidfile: Path) -> None:
    """End the daemon that the file is named for and whose process id it holds."""
    if not pidfile.exists():
        return
    process = int(pidfile.read_text())
    if alive(process, pidfile.stem):
        os.kill(process, signal.SIGTERM)
        wait_for(lambda: not alive(process, pidfile.stem), f"the end of {pidfile.stem}")


def alive(process: int, name: str) -> bool:
    """Return whether a process of this name runs: one that nobody has waited for does not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        found = psutil.Process(process)
        return found.name() == name and found.status() != psutil.STATUS_ZOMBIE
    return False


def wait_for(condition, what: str, seconds: float = 60):
    """Return the first true value of `condition()`."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds} s")
