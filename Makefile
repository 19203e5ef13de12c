# What people and CI call. On a fresh machine it needs python3 (3.10 or newer, with venv) and make.
#
#   make demo         a study of synthetic hearts in ./demo, corrected and checked
#   make test         all tests (installs PyTorch and, where there is one, Slicer's MRML)
#   make test-long    many thousand steps of runs and edits in any order, 5,000 files on a cluster of dying workers,
#                     20,000 images in one run, 100,000 on pages,
#                     fifty kills of each kind of run, a full disk, a failure at each step of the Slicer panel
#   make fuzz         coverage-guided fuzzing of the readers, FUZZ_SECONDS (600) for each format
#   make test-slicer  the panel's tests with Slicer's own Base/Python of 5.10, 5.12 and main
#                     (SLICER_CLONE=<a clone of Slicer's repository>; skipped without)
#   make lint         ruff, mypy, import-linter (what may import what), vulture (what nobody uses), bandit (security)
#   make counts       figures of the code: imports, lines, Any, equal lines
#   make screenshots  pictures of the Slicer panel, the README and the architecture
#   make results      Training/RESULTS.md and its pictures from the stored metrics
#   make test-pacs    DICOM results sent to an Orthanc server and fetched again
#   make test-slurm   the page on archives' SLURM commands, on a SLURM of one node (the superuser; Debian: slurm-wlm)
#   make wheel        dist/*.whl
#   make sbom         dist/cmrorient.cdx.json, the bill of materials of a plain install (CycloneDX)
#   make audit        known vulnerabilities of what a plain install brings; asks the package index
#   make clean        remove what these made, but not $(VENV)
#
# VENV=DIR takes another environment, PYTEST="-k files -x" passes arguments to pytest.

PYTHON ?= python3
VENV ?= .venv
TORCH ?= torch==2.13.0
PYTEST ?=
FUZZ_SECONDS ?= 600
LONG_TESTS := Testing/Python/run/persons_work/test_any_sequence.py Testing/Python/run/workers/test_cluster.py \
  Testing/Python/reliability Testing/Python/panel/test_widget_injected.py Testing/Python/run/test_scale.py \
  Testing/Python/report/test_index.py
BIN := $(VENV)/bin
PLAIN := $(VENV)/.cmrorient-plain
FULL := $(VENV)/.cmrorient-full
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export QT_QPA_PLATFORM ?= offscreen

.DEFAULT_GOAL := help
.PHONY: help demo test test-long fuzz lint counts screenshots results test-pacs test-slurm wheel sbom audit clean

help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "python3 is older than 3.10: call make PYTHON=<a newer one>")'
	$(PYTHON) -m venv $(VENV)

$(PLAIN): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

# PyTorch comes first and pinned: otherwise MONAI picks another build of it. Slicer's MRML libraries
# do not exist for every Python version; tests that need them are skipped where they are missing.
$(FULL): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet "$(TORCH)"
	$(BIN)/python -m pip install --quiet "$(TORCH)" --editable '.[train,test,host]' \
	  || $(BIN)/python -m pip install --quiet "$(TORCH)" --editable '.[train,test]'
	@touch $@ $(PLAIN)

demo: $(PLAIN)
	$(BIN)/cmrorient demo -o demo

test: $(FULL)
	$(BIN)/python -m pytest $(PYTEST)

test-long: $(FULL)
	CMRORIENT_LONG=300 $(BIN)/python -m pytest $(LONG_TESTS) $(PYTEST)

fuzz: $(FULL)
	$(BIN)/python -m pip install --quiet --editable '.[fuzz]'
	$(BIN)/python Testing/fuzz/fuzz.py --seconds $(FUZZ_SECONDS)

test-slicer: $(FULL)
	$(BIN)/python Testing/slicer_versions.py $(PYTEST)

lint: $(FULL)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/vulture
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml CMROrientLib CMROrient

counts: $(FULL)
	$(BIN)/python Testing/count.py --wheel

screenshots: $(FULL)
	$(BIN)/python Testing/host/screenshots.py
	$(BIN)/python Documentation/draw_before_after.py Documentation/before-after.png
	$(BIN)/python Documentation/draw_thumbnails.py
	$(BIN)/python Documentation/draw_report.py Documentation/report.png
	$(BIN)/python Documentation/draw_architecture.py

results: $(FULL)
	$(BIN)/python Training/make_results.py

test-pacs: $(FULL)
	$(BIN)/python Testing/pacs/round_trip.py

test-slurm: $(FULL)
	$(BIN)/python -m pip install --quiet --editable '.[slurm]'
	$(BIN)/python Testing/slurm/archive.py

wheel: | $(BIN)/python
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

sbom: $(FULL)
	$(BIN)/python -m pip install --quiet --editable '.[supply]'
	$(BIN)/python Testing/supply_chain.py sbom dist/cmrorient.cdx.json

audit: $(FULL)
	$(BIN)/python -m pip install --quiet --editable '.[supply]'
	$(BIN)/python Testing/supply_chain.py audit

clean:
	rm -rf build dist demo out *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
