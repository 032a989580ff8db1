# Two commands are enough: `make run` and `make test`. Both set up what they need.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TEST_STAMP := $(VENV)/.installed-test
# modules are compiled once: tests start a hundred programs that load them all
PYTEST := PYTHONDONTWRITEBYTECODE= QT_QPA_PLATFORM=offscreen OMP_NUM_THREADS=1 $(BIN)/python -m pytest

.PHONY: run test torture peers lint bench screenshots attack-pictures theory-pictures clean
.DELETE_ON_ERROR:

run: $(STAMP)
	@$(BIN)/python main.py

test: $(TEST_STAMP) lint
	$(PYTEST) -n logical --maxprocesses=4 --dist=loadfile --no-loadscope-reorder -m "not timing"
	$(PYTEST) -m timing $$(grep -rl --include='test_*.py' 'mark\.timing' tests)

# long numerical proofs, of which the suite holds smaller ones; pytest's 5 says that there is none yet
torture: $(TEST_STAMP)
	$(PYTEST) -n logical --maxprocesses=4 -m torture || test $$? = 5

# our attacks and our CKA beside those of other libraries; torchattacks and pyautoattack ask for torchvision and do not need it
peers: $(TEST_STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[test,peers]"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps torchattacks==3.5.1 pyautoattack==0.2.0
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/oracles

lint: $(TEST_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(TEST_STAMP)
	$(BIN)/python -m benchmarks

screenshots: $(TEST_STAMP)
	$(BIN)/python -m docs.screenshots

# the pictures and the tables of docs/attacks.md
attack-pictures: $(TEST_STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m docs.attack_pictures
	$(BIN)/python -m docs.attack_tables

# the pictures of docs/theory.md and docs/noise.md
theory-pictures: $(TEST_STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m docs.theory_pictures
	OMP_NUM_THREADS=1 $(BIN)/python -m docs.noise_pictures

$(VENV)/bin/python:
	@sh .ci/system-packages
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv $(VENV) || { echo "No usable Python >= 3.11 with venv. On Debian or Ubuntu: apt install python3-venv"; exit 1; }

$(STAMP): pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(TEST_STAMP): pyproject.toml | $(VENV)/bin/python
	@WITH_XVFB=1 sh .ci/system-packages
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[test]"
	@touch $@ $(STAMP)

clean:
	rm -rf $(VENV) build *.egg-info out
