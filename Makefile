# Everything sets itself up: Python 3.11 or newer with pip and venv, make and git are enough.
# Another combination: make test PYTHON=python3.12 DJANGO=6.0   (5.2, 6.0, 6.1 or lowest)

PYTHON ?= python3
DJANGO ?= 5.2
VENV ?= $(if $(filter python3-5.2,$(PYTHON)-$(DJANGO)),.venv,.venv-$(notdir $(PYTHON))-$(DJANGO))

python := $(VENV)/bin/python
constraints := requirements/tools.txt requirements/$(DJANGO).txt
pip := $(python) -m pip --quiet --disable-pip-version-check

.PHONY: help demo test soak mutants lint audit format docs screenshots openapi messages fuzz bench bench-http clean

help:
	@echo "make demo    set up the example shop and serve it"
	@echo "make test    the whole suite, on what this machine has"
	@echo "make soak    a minute of load and faults, on a PostgreSQL of its own"
	@echo "make mutants break the code on purpose, and see which change no test notices; slow"
	@echo "make lint    style, types, layers"
	@echo "make audit   known weaknesses of the code and of what is installed"
	@echo "make format  what ruff can mend by itself"
	@echo "make docs    the documentation, into docs/_build"
	@echo "make screenshots take the pictures of the documentation anew; needs a Chromium"
	@echo "make openapi write docs/reference/openapi.yaml anew"
	@echo "make messages  bring the translations up to date with the code, and compile them"
	@echo "make fuzz    10,000 random requests to the management API, and as many to OFREP"
	@echo "make bench   the benchmarks"
	@echo "make bench-http  OFREP over a socket, and event streams"
	@echo "make clean   remove what the others made"

demo: $(VENV)/.with-demo
	@$(python) example_project/manage.py demo

test: $(VENV)/.with-test
	@$(python) scripts/test.py

soak: $(VENV)/.with-test
	@$(python) scripts/soak.py

mutants: $(VENV)/.with-test
	@$(python) scripts/mutate.py $(ONLY)

lint: $(VENV)/.with-lint
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

audit: $(VENV)/.with-lint
	@$(python) scripts/audit.py

format: $(VENV)/.with-lint
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

docs: $(VENV)/.with-docs
	$(VENV)/bin/sphinx-build --fail-on-warning --keep-going --quiet docs docs/_build

screenshots: $(VENV)/.with-test
	@FLAGGATE_TEST_IMAGES=$(CURDIR)/docs/images $(python) -m pytest --quiet -k picture tests/browser/test_screens.py

openapi: $(VENV)/.with-test
	@DJANGO_SETTINGS_MODULE=tests.settings $(python) -m django spectacular \
	  --urlconf flaggate.api.urls --validate --fail-on-warn --file docs/reference/openapi.yaml

messages: $(VENV)/.with-test
	@$(python) scripts/messages.py $(ADD)

fuzz: $(VENV)/.with-test
	@FLAGGATE_TEST_REQUESTS=10000 $(python) -m pytest --quiet -rP --show-capture=stdout tests/api/*/test_fuzzing.py

bench: $(VENV)/.with-bench
	@$(python) benchmarks/run.py

bench-http: $(VENV)/.with-bench
	@$(python) benchmarks/serving.py
	@$(python) benchmarks/streaming.py

clean:
	rm -rf .venv .venv-* build dist docs/_build htmlcov .coverage .coverage.* \
	  .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

# One stamp per dependency group: a demo need not wait for the linters.
$(VENV)/.with-%: pyproject.toml $(constraints)
	@$(PYTHON) -c 'import sys; sys.exit("flaggate needs Python 3.11 or newer; name one: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@echo "Setting up $(VENV) for \`make $*\`: Django $(DJANGO) …"
	@test -x $(python) || $(PYTHON) -m venv $(VENV)
	@$(pip) install --constraint requirements/tools.txt --upgrade pip
	@$(pip) install $(constraints:%=--constraint %) --group $* --editable .
	@touch $@
