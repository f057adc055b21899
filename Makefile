# make demo   builds .venv and runs the embedded study (examples/digits, short form) to its report
# make test   builds what it needs and passes the tests
# make coverage   which lines of the library the fast tests run
# make docs   builds the documentation as a site, build/docs/html/index.html; a broken link ends it
# make test-browser   drives the pages in Chromium (Debian's is installed where there is none, as root)
# make test-cluster   runs the embedded study on a real Slurm, through its faults (root on Debian)
# make test-callbacks   records beside Lightning, Hugging Face's Trainer and Keras (docs/own_traces.md)
# make test-gpu   what only a GPU can show, in eight minutes; PYTHON=… is one that has torch and timm (docs/training_speed.md)
# make test-conda, make test-containers   the same software from conda and in containers (docs/software.md)
PYTHON ?= python3
# as many as the machine has, up to eight: each training or test takes a gigabyte
CORES ?= $(shell cores=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); [ $$cores -lt 8 ] && echo $$cores || echo 8)
VENV := .venv
CALLBACKS := .venv-callbacks
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
DEMO := --configfile examples/digits/config.yaml examples/digits/short.yaml --cores $(CORES)
TESTS := pytest --numprocesses $(CORES) --dist loadgroup
EMBEDDED := --configfile examples/digits/config.yaml --cores $(CORES)

.PHONY: demo digits coverage docs test test-fast test-browser test-callbacks test-cluster test-gpu test-conda test-containers lint clean-software

demo: $(VENV)/run
	@[ -z "$$(ls -A .snakemake/locks 2>/dev/null)" ] || python scripts/recover_lock.py
	snakemake $(DEMO)
	@echo "summary: results/digits_short/summary.md   report: results/digits_short/report.zip"

digits: $(VENV)/run
	@[ -z "$$(ls -A .snakemake/locks 2>/dev/null)" ] || python scripts/recover_lock.py
	snakemake $(EMBEDDED)

test: test-fast
	$(TESTS) -m slow

test-fast: $(VENV)/dev lint
	$(TESTS) -m "not slow"

# Lines that only compiled kernels or other processes run are not seen.
coverage: $(VENV)/dev
	$(TESTS) -m "not slow" --cov --cov-report=term:skip-covered

docs: $(VENV)/dev
	python docs/make_site.py

test-browser: $(VENV)/dev
	pytest tests/browser

test-callbacks: $(CALLBACKS)/ready
	PYTHONPATH=scripts $(CALLBACKS)/bin/python -m pytest tests/callbacks --numprocesses $(CORES) --dist loadfile

test-cluster: $(VENV)/dev
	pytest tests/cluster --durations=0

# With the python3 that is there: nothing is installed.
test-gpu:
	$(PYTHON) tests/gpu/run.py

# These two build the real software (root on Debian) and take up to 25 GB of disk while they run.
test-conda: $(VENV)/dev
	pytest tests/conda

test-containers: $(VENV)/dev
	pytest tests/containers

clean-software:
	rm -rf .software

lint: $(VENV)/dev
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile rules
	snakemake --lint
	PYTHONPATH=scripts lint-imports
	mypy

$(VENV)/run: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --requirement requirements.txt
	touch $@

$(VENV)/dev: $(VENV)/run requirements-dev.txt
	$(BIN)/pip install --quiet --requirement requirements-dev.txt
	touch $@

# The libraries in an environment of their own, which sees all that $(VENV) has: torch is not installed twice.
$(CALLBACKS)/ready: $(VENV)/dev requirements-callbacks.txt
	$(BIN)/python -m venv $(CALLBACKS)
	$(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib'))" \
		> "$$($(CALLBACKS)/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/shared.pth"
	$(CALLBACKS)/bin/pip install --quiet --requirement requirements-callbacks.txt
	touch $@
