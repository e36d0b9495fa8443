# `make` alone lists the targets.
.DEFAULT_GOAL := help
.PHONY: help env repro test unit smoke verify verify-stored record check bench ablations ceilings sweep seeds ensembles scaling minutes choose experiments results lint format lock clean

BIN := .venv/bin
# DVC runs the stages as `python stages/...`: the environment's python has to come first. The user's variables of Python
# would put other packages before the locked ones, or hide this folder's tools (PYTHONSAFEPATH).
RUN := env -u PYTHONPATH -u PYTHONHOME -u PYTHONSAFEPATH PATH="$(CURDIR)/$(BIN):$$PATH"
# TensorFlow has wheels for these versions; the first one found makes the environment.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$python && break; done)

help:  ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target text; do \
		printf '  make %-13s %s\n' "$$target" "$$text"; done

env: .venv/installed  ## create the environment .venv from requirements.lock

# An environment contains the path of its folder, so it is created again if the folder has moved.
ifneq ($(shell cat .venv/installed 2>/dev/null),$(CURDIR))
.PHONY: .venv/installed
endif

.venv/installed: requirements.lock
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

test: env  ## run all tests: unit, pipeline and data
	@# Two workers, in the order of tests/conftest.py.
	@$(RUN) pytest -m "" -n 2 --dist loadgroup --no-loadscope-reorder --durations 10

unit: env  ## run only the fast tests
	@$(RUN) pytest

smoke: env  ## run every stage on a small part of the real data, in the folder .smoke, and print what it reached
	@$(RUN) python -m tools.smoke

verify: env  ## run the small pipeline twice in scratch copies and compare every hash
	@$(RUN) python -m tools.verify

verify-stored: env  ## run the whole pipeline in a scratch copy and compare every output with dvc.lock
	@$(RUN) python -m tools.verify --stored

record: env  ## run the small pipeline and record its hashes, with which the tests compare theirs
	@$(RUN) python -m tools.verify --record

check: env  ## check that the stored results are unedited, current and within bounds (AGAINST=REVISION: and no worse than there)
	@$(RUN) python -m tools.check $(if $(AGAINST),--against $(AGAINST))

bench: env  ## measure speed: training (PyTorch's too, if installed), episodes and what a job costs
	@for script in benchmarks/*.py; do $(RUN) python $$script || exit; done
	@$(RUN) python -m tools.job_cost

ablations: env  ## train the 10-class net by the report's recipe and ours, with and without augmentation (research/tables/ablations.csv); MINUTES=60 limits each
	@$(RUN) python -m tools.ablations $(if $(MINUTES),--minutes $(MINUTES))

ceilings: env  ## classify unseen digits by raw pixels and by siamese nets in 2 to 64 dimensions, five seeds (research/tables/ceilings.csv)
	@$(RUN) python -m tools.ceilings

# Where experiments run: DVC's queue, or a Dask cluster.
ENGINE = $(if $(CLUSTER),--cluster $(CLUSTER)) $(if $(JOBS),--jobs $(JOBS))

sweep: env  ## train siamese nets with several margins (research/tables/sweep.csv, .png), through DVC's queue or CLUSTER=ADDRESS
	@$(RUN) python -m tools.sweep $(ENGINE)

seeds: env  ## run the pipeline with other seeds, SEEDS="2 3" (research/tables/seeds.csv), through DVC's queue or CLUSTER=ADDRESS; RECIPE=thorough: research/tables/seeds_thorough.csv
	@$(RUN) python -m tools.seeds $(SEEDS) $(if $(RECIPE),--recipe $(RECIPE)) $(ENGINE)

ensembles: env  ## classify unseen classes by the 6-class nets of several trainings together, SEEDS="1 2 3" (research/tables/ensembles.csv); RECIPE=thorough: by its nets
	@$(RUN) python -m tools.ensembles $(SEEDS) $(if $(RECIPE),--recipe $(RECIPE)) $(ENGINE)

choose: env  ## compare transforms on folds of the seen classes (research/tables/choice.csv, .png); RECIPES="label_smoothing=0" adds trainings
	@$(RUN) python -m tools.choose $(RECIPES)

scaling: env  ## measure how time and memory grow with the work (research/tables/scaling.csv, .png and .md)
	@$(RUN) python -m tools.scaling

minutes: env  ## write the minutes per stage of the stored run to research/tables/minutes.csv, for the page
	@$(RUN) python -m tools.minutes

experiments: env  ## show margin, and accuracy and AUC of siamese-2d on unseen digits, of all experiments
	@$(RUN) dvc exp show --no-pager --drop '(?!Experiment|margin$$|.*siamese-2d.*:unseen\.(shot_1\.accuracy|test.auc))'

results: env  ## generate the tables of docs/results.md, docs/model_card.md and the README from metrics/, plots/, docs/*.csv and dvc.yaml
	@$(RUN) python -m tools.results

lint: env  ## check style, types, workflows and generated tables
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/pyright
	@$(BIN)/zizmor --offline --no-progress --quiet .github
	@$(RUN) python -m tools.results --check

format: env  ## fix style and formatting
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

lock: env  ## regenerate requirements.lock from pyproject.toml
	@# With one version of each package for all of Python, so that all give the same bytes.
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes --no-emit-index-url \
		--group dev pyproject.toml -o requirements.lock

clean:  ## remove caches of Python and of the tools; data, models and results stay
	@rm -rf .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
