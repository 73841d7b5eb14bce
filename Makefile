# Two commands do everything on a fresh machine:
#   make play    sets up and plays a scene       make test    sets up and passes the tests
#   make gallery    sets up and runs an installation, for months: the shipped scenes, one after another
#   make training    sets up what `perpetuum train` needs besides: TensorFlow, Keras, music21
# What is installed is locked in requirements/; `make lock` renews the locks.

PYTHON ?= python3
SCENE ?= slow_groove
INSTALLATION ?= gallery
VENV := .venv
BIN := $(VENV)/bin
INPUTS := pyproject.toml
# What is compiled is kept, whatever the shell says: each process of an installation would compile the engine anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: play gallery test training lint types laws pytest again lock clean help

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | head -5

play: $(VENV)/.installed-play
	@$(BIN)/perpetuum play $(SCENE)

gallery: $(VENV)/.installed-play
	@exec $(BIN)/perpetuum run $(INSTALLATION)

test: lint types laws pytest

training: $(VENV)/.installed-dev
	@echo "Now: $(BIN)/perpetuum train performance --data FOLDER_OF_MIDI_FILES"

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/pyright

laws: $(VENV)/.installed-dev
	$(BIN)/lint-imports --no-cache

# Two workers more than there are processors: tests of real processes in real time mostly wait.
pytest: $(VENV)/.installed-dev tests/node/node_modules/.installed
	$(BIN)/python -m pytest -n $$(($$(nproc) + 2)) --dist loadgroup || { [ $$? -eq 1 ] && $(MAKE) --no-print-directory again; }

# Real processes play in real time in some tests, beside whatever else the machine does. What failed is run once more,
# one test after another; what fails twice fails the build, and what failed once stands above, to be mended.
again:
	@echo "Once more, one after another, what failed:"
	$(BIN)/python -m pytest --last-failed --last-failed-no-failures none

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "perpetuum needs Python 3.11, 3.12 or 3.13; choose one: make play PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv module is missing. On Debian: sudo apt install python3-venv"; exit 1; }
	@echo "Making an environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.8,<1'

$(VENV)/.installed-play: $(BIN)/uv requirements/play.lock $(INPUTS)
	@echo "Installing the player ..."
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --compile-bytecode -r requirements/play.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --no-deps -e .
	@touch $@

$(VENV)/.installed-dev: $(BIN)/uv requirements/dev.lock $(INPUTS)
	@echo "Installing everything that the tests need ..."
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --compile-bytecode -r requirements/dev.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --no-deps -e .
	@touch $@

# Ray, for the test of a whole pool, which is skipped without it; CI has it. Nothing of the others is moved by it.
$(VENV)/.installed-pool: $(VENV)/.installed-dev requirements/pool.lock
	@echo "Installing Ray ..."
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -r requirements/pool.lock
	@touch $@

# The scene tests talk to the real yaml-language-server; without npm they are skipped, and say so.
tests/node/node_modules/.installed: tests/node/package-lock.json
	@if command -v npm >/dev/null; then npm ci --prefix tests/node --no-audit --no-fund && touch $@; \
	 else echo "npm is not installed: the editor tests will be skipped (Debian: sudo apt install npm)"; fi

lock: $(BIN)/uv
	@mkdir -p requirements
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra plot pyproject.toml -o requirements/play.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra models --extra plot --extra dev -c requirements/play.lock pyproject.toml -o requirements/dev.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra pool -c requirements/dev.lock pyproject.toml -o requirements/pool.lock

clean:
	rm -rf $(VENV) tests/node/node_modules dist build
