# `make` alone lists the targets.
.DEFAULT_GOAL := help
.PHONY: help env repro test unit smoke verify check bench sweep seeds minutes choose lint lock clean

UV_VERSION := 0.13.9
BIN := .venv/bin
# DVC runs the stages as `python stages/...`: the environment's python has to come first.
RUN := PATH="$(CURDIR)/$(BIN):$$PATH"
# TensorFlow has wheels for these versions; the first one found makes the environment.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$python && break; done)

help:  ## list the targets
	@sed -nE 's/^([a-z]+):.*## (.*)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target text; do \
		printf '  make %-7s %s\n' "$$target" "$$text"; done

env: .venv/installed  ## create the environment .venv from requirements.lock

.venv/installed: requirements.lock
	@$(if $(PYTHON),,echo "error: no Python 3.11, 3.12 or 3.13 on the PATH: install one, or name it: make env PYTHON=/path/to/python3" >&2; exit 1)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || { \
		echo "error: $(PYTHON) is not a Python 3.11, 3.12 or 3.13: install one, or name it: make env PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "error: $(PYTHON) cannot make virtual environments: install its venv package (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; }
	@echo "creating .venv with $$($(PYTHON) --version) from requirements.lock"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-$$($(BIN)/pip config get global.index-url 2>/dev/null)}}" \
		$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	@# Not a fixed path: a queued or temporary experiment must import the src/ of its own copy, not this one.
	@echo 'import os, sys; sys.path.insert(0, os.path.abspath("src"))' \
		> "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/oneshot.pth"
	@touch $@

repro: env  ## run the whole pipeline, or what of it is out of date
	@$(BIN)/python -m tools.params
	@$(RUN) dvc repro

test: env  ## run all tests: unit, pipeline and data
	@# Two processes: most of the small pipeline's run waits for programs that start.
	@export $(RUN); log=$$(mktemp); pytest -m smoke --durations 10 > $$log 2>&1 & smoke=$$!; \
		trap 'kill $$smoke 2>/dev/null' INT TERM; \
		$(RUN) pytest -m "not smoke" --durations 10; others=$$?; \
		echo "now the tests that need the small pipeline's run:"; \
		wait $$smoke; status=$$?; cat $$log; rm -f $$log; exit $$((status | others))

unit: env  ## run the fast tests alone
	@$(RUN) pytest

smoke: env  ## run every stage on a small part of the real data, in a scratch copy
	@$(RUN) python -m tools.smoke

verify: env  ## run the smoke pipeline twice in scratch copies and compare every hash
	@$(RUN) python -m tools.verify

check: env  ## check the stored results: unedited, not stale, within bounds (AGAINST=REVISION: and not worse)
	@$(RUN) python -m tools.check $(if $(AGAINST),--against $(AGAINST))

bench: env  ## measure speed: training and episodes
	@for script in benchmarks/*.py; do $(RUN) python $$script || exit; done

sweep: env  ## train siamese nets with several margins through DVC's queue (docs/sweep.csv, docs/sweep.png)
	@$(RUN) python -m tools.sweep

seeds: env  ## run the pipeline with another seed through DVC's queue (docs/seeds.csv); SEEDS="2 3": with these
	@$(RUN) python -m tools.seeds $(SEEDS)

choose: env  ## compare the feature transforms on held-out base classes (docs/choice.csv)
	@$(RUN) python -m tools.choose

minutes: env  ## note the stored run's minutes a stage for the report page (docs/minutes.csv)
	@$(RUN) python -m tools.minutes

lint: env  ## check style and formatting
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

lock: env  ## write requirements.lock anew from pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--group dev pyproject.toml -o requirements.lock

clean:  ## remove caches of Python and of the tools; data, models and results stay
	@rm -rf .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
