# make demo: see it work on the embedded sample.   make test: the whole check.
SCREEN = xvfb-run -a -s "-screen 0 1600x1000x24"
OUT ?= demo_out
BIN = .venv/bin

.PHONY: demo test lint types imports tests slow benchmarks pictures clean

demo:
	@.ci/setup app,samples
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ]; then $(BIN)/medadv demo --out $(OUT); else $(SCREEN) $(BIN)/medadv demo --no-window --out $(OUT); fi

test: lint types imports tests

.venv/test: pyproject.toml constraints.txt .ci/setup
	@.ci/setup test
	@touch $@

lint: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/test
	$(BIN)/mypy

imports: .venv/test
	$(BIN)/lint-imports

tests: .venv/test
	$(SCREEN) $(BIN)/python -m pytest

slow: .venv/test
	$(SCREEN) $(BIN)/python -m pytest -m slow

benchmarks: .venv/test
	$(SCREEN) $(BIN)/python -m pytest -m benchmark -s

pictures: .venv/test
	$(SCREEN) $(BIN)/python docs/screenshots.py

clean:
	rm -rf .venv demo_out .mypy_cache .ruff_cache .pytest_cache
