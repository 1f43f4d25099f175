# The project's tasks; `make` lists them. They use the active environment, or another Python:
#   make test PYTHON=.venv/bin/python
# and pass on more arguments:
#   make test ARGS="-k money"
PYTHON ?= python
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help install test lint format types web page check comfyui bench generate

help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' Makefile

install: ## Install what the tasks need, in the active environment
	$(PYTHON) -m pip install -r requirements-dev.txt

test: ## Run the tests that need neither a browser nor ComfyUI, with their coverage
	$(PYTHON) -m pytest $(ARGS)

lint: ## Check style and format; nothing is changed
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

format: ## Format the code and apply the fixes that are safe
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

types: ## Check the types
	$(PYTHON) -m mypy

web: ## Check the page's types and style, and run its modules' tests; needs Node 20.19 or newer
	$(PYTHON) -m pytest -n 0 tests/web $(ARGS)

page: ## Test the real page in headless Chromium
	$(PYTHON) -m pytest -n 0 -m page $(ARGS)

check: lint types web test page ## Run all checks that need no ComfyUI

comfyui: ## Test in a real ComfyUI: make comfyui COMFYUI_PATH=... COMFYUI_PYTHON=...
	@test -n "$$COMFYUI_PATH" && test -n "$$COMFYUI_PYTHON" || \
	  { echo "Set COMFYUI_PATH to ComfyUI's folder and COMFYUI_PYTHON to its Python." >&2; exit 2; }
	$(PYTHON) -m pytest -n 0 -m comfyui $(ARGS)

bench: ## Measure each figure beside its floor and a common policy
	$(PYTHON) -m benchmarks $(ARGS)

generate: ## Write the contract snapshots and the English texts of new models
	$(PYTHON) -m tools.generate $(ARGS)
