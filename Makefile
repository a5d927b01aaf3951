# Everything sets itself up: Python >= 3.11, pip >= 22.3 and make are enough. Nothing is installed outside this folder, but for the two
# programs that `make test` needs (Chromium, Mosquitto): see tests/programs.sh. Choose another Python with `make test PYTHON=python3.13`.

PYTHON ?= python3
JOBS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); [ "$$n" -le 4 ] && echo "$$n" || echo 4)

ENVS := .envs
BIN = $(ENVS)/$(1)/bin
LOCKS := build run image test dev
# (replay/. and not replay, which is what `make replay` makes)
SOURCES := pyproject.toml README.md LICENSE $(shell find timing replay/. config \( -type d -o -type f \) -not -name '__pycache__' -not -name '*.py[co]')

# Tests and demo use what is installed, never what lies in the current folder.
export PYTHONSAFEPATH := 1
unexport PYTHONPATH
unexport PYTHONHOME

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo replay dev test test-long programs lint format bench wheel lock reference clean check-python
.SECONDARY: $(foreach lock,$(LOCKS),$(ENVS)/$(lock)/.made)

help: ## say what there is
	@echo "Parc Fermé. make ..."
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

demo: $(ENVS)/run/.installed ## a simulated race on this machine: broker, log, screens; prints the address
	@$(call BIN,run)/timing demo $(ARGS)

replay: $(ENVS)/run/.installed ## a log again on the same screens, at any moment and speed: make replay LOG=demo.db
	@test -n "$(LOG)" || { echo "say which log: make replay LOG=demo.db" >&2; exit 2; }
	@$(call BIN,run)/replay serve $(LOG) $(ARGS)

test: $(ENVS)/test/.installed programs ## the tests, against the built and installed wheel (some minutes); ARGS=... goes to pytest
	$(call BIN,test)/pytest -n $(JOBS) --dist worksteal $(ARGS)

test-long: $(ENVS)/test/.installed programs ## the tests, those that take many minutes included
	$(call BIN,test)/pytest -n $(JOBS) --dist worksteal -m "" $(ARGS)

bench: $(ENVS)/test/.installed ## measure, as ratios within the run: see docs/benchmarks.md
	$(call BIN,test)/python tests/benchmarks $(ARGS)

lint: $(ENVS)/dev/.made ## style, types
	$(call BIN,dev)/ruff check
	$(call BIN,dev)/ruff format --check
	$(call BIN,dev)/mypy

format: $(ENVS)/dev/.made ## mend what the style checker can mend
	$(call BIN,dev)/ruff check --fix
	$(call BIN,dev)/ruff format

dev: $(ENVS)/dev/.editable ## an environment for working in: the folder itself and every tool, in .envs/dev

wheel: dist/.built ## build the wheel into dist/

lock: $(ENVS)/dev/.made ## renew requirements/*.txt to the newest versions that pyproject.toml allows
	$(call LOCK,build,--group build)
	$(call LOCK,run,pyproject.toml)
	$(call LOCK,image,pyproject.toml --extra archive)
	$(call LOCK,test,pyproject.toml --extra archive --group test)
	$(call LOCK,dev,pyproject.toml --extra archive --group dev)

reference: $(ENVS)/dev/.made ## write anew what is made from the code: docs/asyncapi.json, config/timing.toml, tables in docs/
	PYTHONPATH=. $(call BIN,dev)/python -m timing.reference

clean: ## remove what make made; logs of races stay
	rm -rf $(ENVS) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find timing replay tests -name __pycache__ -type d -prune -exec rm -rf {} +

# --- how ----------------------------------------------------------------------------------------------------------------------------

programs: $(ENVS)/test/.made
	@sh tests/programs.sh $(call BIN,test)/python

check-python:
	@command -v $(PYTHON) >/dev/null || { echo "make: there is no $(PYTHON); install Python 3.11 or later, or say PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "make: $(PYTHON) is $$($(PYTHON) -V 2>&1); Parc Fermé needs 3.11 or later: say PYTHON=/path/to/python" >&2; exit 1; }

# An environment is made without pip of its own (Debian's Python has none to put in) and filled by the pip of $(PYTHON).
$(ENVS)/%/.made: requirements/%.txt | check-python
	@$(PYTHON) -m pip --version >/dev/null 2>&1 \
	  || { echo "make: $(PYTHON) has no pip; on Debian: apt-get install python3-pip" >&2; exit 1; }
	rm -rf $(@D)
	$(PYTHON) -m venv --without-pip $(@D)
	$(PYTHON) -m pip --python $(@D)/bin/python install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(ENVS)/%/.installed: $(ENVS)/%/.made dist/.built
	$(PYTHON) -m pip --python $(@D)/bin/python install --quiet --disable-pip-version-check --no-deps --no-index --force-reinstall dist/*.whl
	@touch $@

$(ENVS)/dev/.editable: $(ENVS)/dev/.made pyproject.toml
	$(PYTHON) -m pip --python $(@D)/bin/python install --quiet --disable-pip-version-check --no-deps --no-index --no-build-isolation --editable .
	@touch $@

dist/.built: $(ENVS)/build/.made $(SOURCES)
	rm -rf dist
	$(call BIN,build)/python -m hatchling build -t wheel -d dist
	@touch $@

define LOCK
UV_CUSTOM_COMPILE_COMMAND="make lock" $(call BIN,dev)/uv pip compile $(2) --universal --python-version 3.11 --upgrade --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-config --quiet --output-file requirements/$(1).txt
endef
