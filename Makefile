# Two commands on a fresh machine: `make demo` and `make test`. They need Python 3.11 or newer
# with venv, and make; no root and no model hub. Stamp files in .venv keep warm runs short.
# While you edit, `make fast` runs the checks that need no model.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --quiet -c constraints.txt
# Type checkers read the path that this mode writes. They do not run the import hook that
# setuptools writes by default, and so do not find the package.
EDITABLE := --config-settings editable_mode=compat
NOT_FAST := not model and not cluster and not browser and not shared and not slow

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/.run ## build .venv, score the bundled example, leave the report in out/
	@mkdir -p out
	$(BIN)/detector score data/example/copy.txt data/example/source.txt \
	  --out out/example.html --out out/example.json --out out/example.csv

.PHONY: lint
lint: $(VENV)/.dev ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.PHONY: fast
fast: lint ## lint, then the tests that need no model and are not slow
	$(BIN)/pytest -q -n 2 --hypothesis-profile=fast -m "$(NOT_FAST)"

.PHONY: test
test: lint ## build what it needs, then ruff, mypy --strict and pytest
	$(BIN)/pytest -q -m "not fuzz"

.PHONY: fuzz
fuzz: $(VENV)/.dev ## attack with drawn texts, files and command lines (DETECTOR_FUZZ_SCALE=10 for longer)
	$(BIN)/pytest -q -m fuzz

.PHONY: bench
bench: $(VENV)/.dev ## print the figures of benchmarks/ (some need the folder DETECTOR_SHARED)
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

.PHONY: docs
docs: $(VENV)/.dev ## write the reference, out of the docstrings, to out/reference
	$(BIN)/pdoc --docformat numpy --output-directory out/reference detector detector.report.plots

.PHONY: pins
pins: ## write constraints.txt anew from what .venv holds (see its head)
	@test -x $(BIN)/python || { echo "there is no $(VENV) to read; run make test first" >&2; exit 1; }
	@{ sed -n '/^#/p' constraints.txt; $(BIN)/python -m pip freeze --all --exclude-editable \
	  | grep -v '^roundtrip-detector' \
	  | sed 's/+cpu$$//' | LC_ALL=C sort -f; } > constraints.new && mv constraints.new constraints.txt

.PHONY: clean
clean: ## remove .venv, out/ and caches
	rm -rf $(VENV) out build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find detector tests benchmarks data -name __pycache__ -prune -exec rm -rf {} +

# What a fresh machine lacks is said in one line, before pip says it in forty.
$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || \
	  { echo "no $(PYTHON) here; name one: make PYTHON=/path/to/python3 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is $$($(PYTHON) -V); 3.11 or newer is needed: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "$(PYTHON) cannot make environments; add its venv package (on Debian: python3-venv), or name another: make PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# The pip that comes with Python may be too old to know the extra `html-clean` by its older name,
# `html_clean`, which the `html` extra's packages ask for.
$(VENV)/.pip: $(VENV)/.made constraints.txt
	$(PIP) pip
	@touch $@

# torch first and by its exact pin, so that the build of the index at hand is settled before
# anything else asks for "some torch".
$(VENV)/.torch: $(VENV)/.pip
	@echo "installing torch: about 0.2 GB to download, 0.9 GB on disk (with CUDA: several GB)"
	$(PIP) "$$(grep '^torch==' constraints.txt)"
	@touch $@

$(VENV)/.run: $(VENV)/.torch pyproject.toml detector/__init__.py
	@echo "installing detector and what it lacks to run: about 0.9 GB on disk"
	$(PIP) $(EDITABLE) -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@echo "installing the tools and extras that the tests lack: about 0.9 GB on disk, 2.7 GB in all"
	$(PIP) $(EDITABLE) -e '.[dev,html,onnx,cluster,archive]'
	@touch $@
