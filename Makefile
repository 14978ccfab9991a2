# `make demo` and `make test` need Python 3.11, make and the package registries, nothing else.
.DEFAULT_GOAL := help
.PHONY: help demo test test-fast lint types imports format clean

PYTHON ?= python3.11
VENV ?= .venv
HOST ?= 127.0.0.1
PORT ?= 8000
DEMO ?= demo_data
RUN := $(VENV)/bin
PIP_INSTALL := $(RUN)/python -m pip install --quiet --disable-pip-version-check -c requirements/constraints.txt

help: ## Show the targets
	@grep -E '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F':.*?## ' '{printf "%-10s %s\n", $$1, $$2}'

$(RUN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed-demo: $(RUN)/python pyproject.toml requirements/constraints.txt
	@echo "installing into $(VENV) (about two minutes the first time)"
	$(PIP_INSTALL) -e '.[cpu,demo]'
	@touch $@

$(VENV)/installed-dev: $(RUN)/python pyproject.toml requirements/constraints.txt
	@echo "installing into $(VENV) with the tools of the tests"
	$(PIP_INSTALL) -e '.[dev]'
	@touch $@ $(VENV)/installed-demo

demo: $(VENV)/installed-demo ## Build the demo collection once and serve it
	$(RUN)/kyomei build-demo --out $(DEMO)/media
	$(RUN)/kyomei demo --media $(DEMO)/media --data $(DEMO)/collection --host $(HOST) --port $(PORT)

lint: $(VENV)/installed-dev ## Ruff, without rewriting
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .

types: $(VENV)/installed-dev ## mypy --strict
	$(RUN)/mypy

imports: $(VENV)/installed-dev ## Import direction between packages
	$(RUN)/lint-imports

test: lint types imports ## Lint, types, import rules, all tests with branch coverage
	$(RUN)/pytest --cov --cov-report=term

test-fast: $(VENV)/installed-dev ## Tests that take under a second each
	$(RUN)/pytest -m 'not slow'

format: $(VENV)/installed-dev ## Rewrite imports and layout
	$(RUN)/ruff check --fix .
	$(RUN)/ruff format .

clean: ## Remove the virtual environment and the demo collection
	rm -rf $(VENV) $(DEMO)
