# What a contributor runs. `just` alone lists it.

bin := justfile_directory() / ".venv/bin"

[private]
default:
    @just --list

# A virtual environment with everything, and the checks before each commit.
setup:
    test -d .venv || python3 -m venv .venv
    {{ bin }}/pip install -e '.[dev]'
    {{ bin }}/pre-commit install

# All tests, or those named: `just test tests/ops -x`.
test *arguments:
    {{ bin }}/python -m pytest -n 3 {{ arguments }}

# On every change: lint, types of the changed files, import rules, and all tests but the slow ones, side by side.
[parallel]
quick: lint types-of-changes not-slow

[private]
not-slow:
    {{ bin }}/python -m pytest -n 3 -m "not slow"

# Of what is not committed yet: before each commit, all are checked.
[private]
types-of-changes:
    #!/usr/bin/env bash
    set -euo pipefail
    here=(-- 'src/*.py' ':!src/handmade/workshop/variants')
    changed=$(git diff --name-only --diff-filter=d HEAD "${here[@]}"; git ls-files --others --exclude-standard "${here[@]}")
    if [ -n "$changed" ]; then {{ bin }}/pyright --pythonpath {{ bin }}/python $changed; fi

# Style, and which way imports go.
lint:
    {{ bin }}/ruff check
    {{ bin }}/ruff format --check
    {{ bin }}/lint-imports

# Sort imports and format, as lint wants it.
fix:
    {{ bin }}/ruff check --fix
    {{ bin }}/ruff format

types:
    {{ bin }}/pyright --pythonpath {{ bin }}/python

# A benchmark: `just bench cnn_step`; without a name, which there are.
bench *arguments:
    {{ bin }}/python -m benchmarks {{ arguments }}

# The site, in build/docs/site: dead links, warnings and examples that fail stop it.
docs:
    {{ bin }}/python -m docs.making
