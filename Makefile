# `make run` and `make test` do everything on a fresh machine: Python 3.11 or 3.12 and make are all they need.
PYTHON ?= python3
BIN := .venv/bin
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := 1
export DVC_NO_ANALYTICS := true

.PHONY: help setup run test check bench ui viz repro

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/installed  ## make .venv with everything in it

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	@echo "installing (minutes, gigabytes) ..."
	# torch first and alone: pip then resolves the rest in seconds
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch torchvision
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

run: setup  ## the main job: active learning on the data that ships
	$(BIN)/kedro run --pipelines=active_learning

test: check  ## style, structure and every test
	$(BIN)/python -m pytest

check: setup  ## style and structure alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

bench: setup  ## speed and memory, into docs/benchmarks.md
	$(BIN)/python benchmarks/run.py

ui: setup  ## MLflow's pages, on 127.0.0.1:5000
	$(BIN)/mlflow ui --backend-store-uri sqlite:///mlflow.db --host 127.0.0.1 --port 5000

viz: setup  ## Kedro's picture of the pipelines, on 127.0.0.1:4141
	$(BIN)/kedro viz run --host 127.0.0.1 --port 4141

repro: setup  ## the published run, by DVC: runs only what has changed
	$(BIN)/dvc repro
