# `make` alone lists the targets.
.DEFAULT_GOAL := help
.PHONY: help env repro experiments test unit smoke compare-runs record-hashes check-stored bench studies results lint format lock package

BIN := .venv/bin
# DVC runs the stages as `python stages/...`: the environment's python has to come first. The user's variables of Python
# would put other packages before the locked ones, or hide this folder's tools (PYTHONSAFEPATH).
RUN := env -u PYTHONPATH -u PYTHONHOME -u PYTHONSAFEPATH PATH="$(CURDIR)/$(BIN):$$PATH"
# TensorFlow has wheels for these versions; the first one found makes the environment.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$python && break; done)

help:
	@awk -F ':.*## ' '/^#### / {print "\n" substr($$0, 6)} /^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '\n  The studies: dvc --cd research status, dvc --cd research repro ceilings\n'

#### Run

env: .venv/installed  ## create the environment .venv from requirements.lock

# An environment contains the path of its folder, so it is created again if the folder has moved.
ifneq ($(shell cat .venv/installed 2>/dev/null),$(CURDIR))
.PHONY: .venv/installed
endif

.venv/installed: requirements.lock tools/environment.py
	@$(if $(PYTHON),,echo "error: no Python 3.11, 3.12 or 3.13 on the PATH: install one, or name it: make env PYTHON=/path/to/python3" >&2; exit 1)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || { \
		echo "error: $(PYTHON) is not a Python 3.11, 3.12 or 3.13: install one, or name it: make env PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "error: $(PYTHON) cannot make virtual environments: install its venv package (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; }
	@echo "creating .venv with $$($(PYTHON) --version) from requirements.lock"
	@$(PYTHON) tools/environment.py
	@printf %s "$(CURDIR)" > $@

repro: env  ## run the stages that are out of date, JOBS=N of them at the same time; in a fresh clone, the whole pipeline
	@$(RUN) python -m tools.repro $(if $(JOBS),--jobs $(JOBS))

experiments: env  ## list this commit's experiments: margin, and one-shot accuracies
	@$(RUN) python -m tools.experiments

#### Change

format: env  ## fix style and formatting
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

results: env  ## generate the tables of the README and of docs/ from the stored results
	@$(RUN) python -m tools.results

studies: env  ## give the tables of research/ to the page, and say there which are stale
	@$(RUN) python research/publish.py

record-hashes: env  ## run the small pipeline and record its hashes in tests/pipeline/smoke.lock, with which the tests compare theirs
	@$(RUN) python -m tools.compare_runs --record

lock: env  ## regenerate requirements.lock from pyproject.toml
	@# With one version of each package for all of Python, so that all give the same bytes.
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes --no-emit-index-url \
		--all-extras --group dev --group site pyproject.toml -o requirements.lock

package:  ## build sdist and wheel into dist/, check them, and use the wheel outside of this clone (PYTHON=/path: with that Python)
	@.ci/package $(PYTHON)

#### Check

unit: env  ## run only the fast tests
	@$(RUN) pytest

lint: env  ## check style, types, workflows, spelling, links, generated tables, and that the texts make a site (in site/)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/pyright
	@$(BIN)/zizmor --offline --no-progress --quiet .github
	@$(BIN)/codespell *.md *.yml *.yaml Makefile benchmarks docs recipes research/*.py research/dvc.yaml src stages tests tools .ci .github
	@$(BIN)/pytest --quiet --no-header tests/test_links.py
	@# The texts and the page as a site, in site/.
	@$(BIN)/mkdocs build --strict --quiet
	@$(RUN) python -m tools.results --check

smoke: env  ## run every stage on a small part of the real data, in the folder .smoke, and print what it reached
	@$(RUN) python -m tools.smoke

compare-runs: env  ## run the small pipeline twice and compare every hash (STORED=1: the whole pipeline once, with dvc.lock; GPU=1: both, on an NVIDIA GPU)
	@$(RUN) python -m tools.compare_runs $(if $(STORED),--stored) $(if $(GPU),--gpu)

check-stored: env  ## check that the stored results are unedited, current and within bounds (AGAINST=REVISION: and no worse than there)
	@$(RUN) python -m tools.check_stored $(if $(AGAINST),--against $(AGAINST))

test: env  ## run the tests: unit, pipeline, data and browser; LONG=1: also those that only add cases, and more draws
	@$(if $(LONG),ANY_PARAMS=20) $(RUN) pytest -m "$(if $(LONG),,not long)" --durations 10 $(if $(BUDGET),--budget $(BUDGET))

#### Maintain

bench: env  ## measure speed: use, training (PyTorch's too, if installed), episodes and what a job costs
	@for name in use training sides episodes job; do $(RUN) python -m benchmarks.$$name || exit; done
