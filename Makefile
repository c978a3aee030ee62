# `make run` and `make test` do everything on a fresh machine: Python 3.11 or 3.12 and make are all they need.
PYTHON ?= python3
BIN := .venv/bin
TOOLS := .venv-tools/bin
# A process a core, up to four (2 GB each), of one thread; files that take long come first (tests/conftest.py).
PYTEST := -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder
PIP := -m pip install --quiet --disable-pip-version-check
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := 1
export DVC_NO_ANALYTICS := true
export NO_MKDOCS_2_WARNING := 1

.PHONY: help setup run test test-thorough quick check bench ui viz repro publish label-studio constraints licences

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: .venv/installed  ## make .venv with everything in it

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	@echo "installing (minutes, gigabytes) ..."
	# torch first and alone: pip then resolves the rest in seconds
	$(BIN)/python $(PIP) -c constraints.txt setuptools torch torchvision
	# Built with the setuptools that is pinned, not with the newest.
	$(BIN)/python $(PIP) -c constraints.txt --no-build-isolation -e ".[dev]"
	$(BIN)/python -m pip check
	touch $@

run: setup  ## the main job: active learning on data that ships, beside a random choice
	$(BIN)/kedro run --env=demo --pipelines=cell --params=run.name=random,query.start=random,query.strategy=top,query.measure=random
	$(BIN)/kedro run --env=demo --pipelines=active_learning

test: check  ## style, structure and every test of the day
	$(BIN)/python $(PYTEST)

test-thorough: check  ## every test there is, in the other precision, on two threads, with more examples: an hour
	PT4AL_TEST_PRECISION=bf16 PT4AL_TEST_THREADS=2 $(BIN)/python $(PYTEST) -m "" --hypothesis-profile=thorough

quick: setup  ## tests of the core alone, in a minute
	$(BIN)/python $(PYTEST) --ignore=tests/pipelines --ignore=tests/project --ignore=tests/docs \
		--ignore=tests/notebooks --ignore=tests/benchmarks \
		--ignore-glob="tests/test_*.py" -m "not slow and not external"

check: setup  ## style and structure alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

bench: setup  ## speed and memory, into docs/studies/benchmarks.md
	GOMP_SPINCOUNT=5000 $(BIN)/python benchmarks/run.py

.PHONY: docs docs-serve

docs: setup .venv-docs/installed  ## the documentation as pages, into site/; a broken link ends it
	$(BIN)/python docs/generate_settings.py docs/settings.md
	$(BIN)/python docs/generate_modules.py docs/modules.md
	.venv-docs/bin/mkdocs build --strict --quiet
	@echo "open site/index.html"

docs-serve: setup .venv-docs/installed  ## the same, with search, on 127.0.0.1:8000
	$(BIN)/python docs/generate_settings.py docs/settings.md
	$(BIN)/python docs/generate_modules.py docs/modules.md
	.venv-docs/bin/mkdocs serve --strict --dev-addr 127.0.0.1:8000

.PHONY: gpu wheels offline

gpu: setup  ## check and measure what a GPU computes, into gpu/gpu.json; docs/gpu.md
	$(BIN)/python benchmarks/gpu.py --device cuda --output gpu

wheels: setup  ## what a machine without a network lacks, into wheels/; PRESENT=its `pip list --format=freeze`
	$(BIN)/python benchmarks/wheels.py $(PRESENT)

offline:  ## there: install wheels/ into packages/, beside what that machine has; then export PYTHONPATH=packages
	$(PYTHON) $(PIP) --no-index --no-deps --no-compile --upgrade --target packages wheels/*.whl

ui: setup  ## MLflow, opened on the curves of all runs, on 127.0.0.1:5000
	$(BIN)/kedro ui

viz: setup  ## Kedro's picture of the pipelines, on 127.0.0.1:4141
	@echo "the method at a glance: http://127.0.0.1:4141/?pid=active_learning&types=nodes"
	$(BIN)/kedro viz run --host 127.0.0.1 --port 4141 --no-browser

# The stages' commands are `kedro ...`: they find it where nobody has activated the environment.
DVC_REPRO := PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/dvc repro

repro: setup  ## the published run, by DVC, which runs only what has changed; then: is it the one that was published?
	$(DVC_REPRO)
	$(BIN)/kedro verdict

publish: setup  ## after changes that are meant: make the published run anew, and write what `make repro` compares with
	$(DVC_REPRO)
	$(BIN)/kedro publish

label-studio: .venv-label-studio/installed .label-studio/environment  ## a Label Studio server to label in, on 127.0.0.1:8090
	@echo "starting on http://127.0.0.1:8090; name, password and token are in .label-studio/environment"
	cd .label-studio && set -a && . ./environment && \
		exec ../.venv-label-studio/bin/label-studio start --no-browser --internal-host 127.0.0.1 -p 8090

constraints: .venv-tools/installed  ## pin every package again; UPGRADE=--upgrade takes the newest that fit
	$(TOOLS)/uv pip compile pyproject.toml --quiet --extra deploy --extra dev --extra docs --universal --python-version 3.11 --no-annotate \
		--custom-compile-command "make constraints" --output-file constraints.txt $(UPGRADE)

licences: setup .venv-tools/installed  ## list the licences of every package, into docs/licences.md
	{ printf '# Licences\n\nWritten by `make licences`: every package that `make setup` installs.\n\n' && \
		$(TOOLS)/pip-licenses --python=$(BIN)/python --format=markdown --with-system --ignore-packages pt4al pip; \
	} > docs/licences.md.partial
	mv docs/licences.md.partial docs/licences.md

# In an environment of its own, so that `make setup` does not wait for it.
.venv-docs/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-docs
	$(BIN)/python -c "import tomllib; \
		extras = tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']; \
		print(*extras['docs'], sep='\n')" > .venv-docs/requirements.txt
	.venv-docs/bin/python $(PIP) -c constraints.txt -r .venv-docs/requirements.txt
	touch $@

.venv-tools/installed:
	$(PYTHON) -m venv .venv-tools
	$(TOOLS)/python $(PIP) uv==0.13.9 pip-licenses==5.5.5
	touch $@

# In an environment of its own: it needs an older numpy than we do.
.venv-label-studio/installed:
	$(PYTHON) -m venv .venv-label-studio
	@echo "installing Label Studio (a minute, a gigabyte) ..."
	.venv-label-studio/bin/python $(PIP) label-studio==1.23.2
	touch $@

# Made once: whoever can read it can log in. It reports nothing to anybody.
.label-studio/environment:
	mkdir -p -m 700 .label-studio
	( umask 077 && { \
		echo 'LABEL_STUDIO_BASE_DATA_DIR="$$PWD"'; \
		echo 'DJANGO_DB=sqlite'; \
		echo 'LABEL_STUDIO_USERNAME=owner@example.org'; \
		$(PYTHON) -c 'import secrets; print("LABEL_STUDIO_PASSWORD=" + secrets.token_hex(12))'; \
		$(PYTHON) -c 'import secrets; print("LABEL_STUDIO_USER_TOKEN=" + secrets.token_hex(20))'; \
		echo 'LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN=true'; \
		echo 'LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK=true'; \
		echo 'COLLECT_ANALYTICS=false'; \
		echo 'LATEST_VERSION_CHECK=false'; \
		echo 'SENTRY_DSN='; \
		echo 'FRONTEND_SENTRY_DSN='; \
		echo 'FEATURE_FLAGS_OFFLINE=true'; \
	} > $@.partial && mv $@.partial $@ )
