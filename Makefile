# The two commands of the README, and what a change must pass.
#   make demo      environment, and the headlines that ship with us from end to end: three minutes
#   make test      environment, tests, ruff, mypy: about two minutes
#   make install   the environment alone, which the others make too: the first time some minutes
#   make test-all  the slow tests as well: fits of whole models, other backends
PYTHON ?= python3
VENV ?= .venv
RUN = $(VENV)/bin/
# A process a core; a file of tests stays in one.
AT_ONCE = -n auto --dist loadfile

.PHONY: demo install test test-all check clean

demo: $(VENV)/installed
	@$(RUN)ir-attention demo --overwrite

install: $(VENV)/installed

test: $(VENV)/installed check
	$(RUN)python -m pytest $(AT_ONCE)

test-all: $(VENV)/installed check
	$(RUN)python -m pytest $(AT_ONCE) -m "slow or not slow"

check: $(VENV)/installed
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)mypy

# Made anew when what is to be installed has changed.
$(VENV)/installed: setup.cfg pyproject.toml
	@echo "Installing into $(VENV): some minutes the first time"
	@$(PYTHON) -m venv $(VENV)
	@$(RUN)python -m pip install -qq --upgrade pip
	@PYTHONWARNINGS=ignore $(RUN)python -m pip install -qq --editable ".[dev]"
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
