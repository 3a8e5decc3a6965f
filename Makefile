# Two commands do everything on a machine with make and Python 3.11, 3.12 or 3.13: `make demo` and `make test`.
# The first of these that answers and is new enough; else python3, to be told what it lacks.
PYTHON ?= $(or $(shell for python in python3.11 python3.12 python3.13 python3; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done),python3)
BIN := .venv/bin
READY := .venv/.ready
# Containers often set it; without kept bytecode each process of the tests compiles all of them again.
export PYTHONDONTWRITEBYTECODE :=
BEGAN := $(shell date +%s)
TOOK = @echo "make $@ took $$(( $$(date +%s) - $(BEGAN) )) seconds; its limit on two quiet cores is"

.PHONY: help install production demo test test-databases test-bytecode test-only test-postgresql check fast coverage bench bench-pages rehearse access screenshots messages lock clean

help:
	@echo "make demo     console, worker and sandbox on this machine, with contacts and a finished campaign"
	@echo "make test     format, lint, types, layout, migrations and all tests"
	@echo "make test-only T=tests/voice   one part of the tests"
	@echo "make test-postgresql   the tests without browsers and killed processes, on PostgreSQL"
	@echo "make fast     the tests without browsers, pages and services"
	@echo "make install  .venv with everything in it"
	@echo "make production  .venv with what a server needs, and nothing else"
	@echo "make check    what of make test needs no database: format, lint, types, imports, migrations"
	@echo "make bench    throughput of sending and importing, each against a bare loop in the same run"
	@echo "make bench-pages  every page on a small and a large console: server time and queries"
	@echo "make rehearse a campaign to 100,000 under 200 kills, on SQLite and on PostgreSQL with Redis"
	@echo "make access   every page with axe, for people who see or type differently"
	@echo "make screenshots  the pictures of the docs, of the same day each time"
	@echo "make messages  the texts of the console gathered for translation, and what is translated compiled"
	@echo "make coverage which branches of services and client the tests go through"
	@echo "make lock     requirements.lock and requirements-dev.lock again, from pyproject.toml"

install: $(READY)

$(READY): pyproject.toml requirements.lock requirements-dev.lock
	@$(PYTHON) scripts/install.py

# What a server needs and nothing else: no test tools, no linters.
production:
	@$(PYTHON) scripts/install.py --production

demo: install
	@$(BIN)/python -m laaffic_console demo

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/djlint --lint --quiet laaffic_console messaging voice numbers
	$(BIN)/oxlint laaffic_console messaging voice numbers
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -W error manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check
	$(BIN)/python scripts/check_languages.py
	$(BIN)/python scripts/docs_digests.py

# What tests copy is migrated beside the checks, which leave a core idle, and the tests are compiled once for all processes.
# Then four processes on two cores: the rehearsals and the browser tests mostly wait.
test: install
	@$(MAKE) --no-print-directory --output-sync=target -j 3 check test-databases test-bytecode
	$(BIN)/python -m pytest -n 4 --dist loadgroup
	$(TOOK) 300.

test-databases: install
	$(BIN)/python -m tests.kept_databases

test-bytecode: build/tests-compiled

# Again only where a test is newer: collecting all of them takes ten seconds of a processor.
build/tests-compiled: requirements-dev.lock $(shell find tests -name '*.py') | install
	$(BIN)/python -m pytest -n 0 -q --collect-only >/dev/null
	@mkdir -p build && touch $@

# The tests without browsers, pages and services, and without those that play many orders of events.
fast: install
	$(BIN)/python -m pytest -n 3 -q -m "not browser and not services and not reliability and not thorough and not pages"
	$(TOOK) 60.

# One part: make test-only T=tests/voice
T ?= tests
test-only: install
	$(BIN)/python -m pytest -n 0 -q --durations=10 $(T)

# The database need not exist: tests make one beside it, from a migrated one that is kept.
test-postgresql: export DATABASE_URL := $(or $(DATABASE_URL),postgres://postgres@127.0.0.1:5432/console)
test-postgresql: install
	$(BIN)/python -m pytest -n 3 -q -m "not browser and not reliability" --ignore tests/interleavings $(T)

# Branches of the services and the client, as the tests without browsers, rehearsals and drawn pages go through them.
coverage: install
	$(BIN)/python -m pytest -n 3 -q -m "not browser and not reliability" --cov --cov-report=
	$(BIN)/python -m coverage report --include='*/services/*,laaffic_console/laaffic/*'

# Some forty minutes. Each prints its figures and goals; at the end stand all of them in one table.
bench: export BENCH_TABLE := build/bench.jsonl
bench: install
	mkdir -p build && rm -f $(BENCH_TABLE)
	$(BIN)/python scripts/bench.py
	$(BIN)/python scripts/bench.py --spoken
	$(BIN)/python scripts/bench.py --care
	$(BIN)/python scripts/bench_import.py
	$(BIN)/python scripts/bench_scale.py
	$(BIN)/python scripts/bench_latency.py
	$(BIN)/python scripts/bench_pushes.py
	$(BIN)/python scripts/goal_table.py $(BENCH_TABLE)

bench-pages: install
	$(BIN)/python scripts/bench_pages.py --strict

# Every page with axe, light and dark, wide and narrow, on a demo of its own; some twenty minutes.
access: install
	$(BIN)/python scripts/check_access.py

# Data and clock are fixed.
screenshots: install
	$(BIN)/python scripts/screenshots.py

# Half an hour each. REHEARSE_DATABASE and REHEARSE_REDIS name a PostgreSQL server and an empty Redis database.
REHEARSE_DATABASE ?= postgres://postgres@127.0.0.1:5432/
REHEARSE_REDIS ?= redis://127.0.0.1:6379/13
SEED ?= 1

rehearse: install
	MACHINE_EXAMPLES=400 $(BIN)/python -m pytest -n 0 -q --timeout 3600 tests/messaging/sending/test_message_machine.py
	$(BIN)/python manage.py rehearse --recipients 100000 --kills 200 --seed $(SEED)
	$(BIN)/python manage.py rehearse --recipients 100000 --kills 200 --seed $(SEED) --workers 2 \
		--database $(REHEARSE_DATABASE) --redis $(REHEARSE_REDIS)
	$(BIN)/python manage.py rehearse --channel api --recipients 20000 --kills 40 --seed $(SEED)

# Needs GNU gettext. What is translated is kept compiled, so that nothing else does.
messages: install
	$(BIN)/python scripts/messages.py

# For every Python from 3.11.0 on and every system: what only some of them need carries a marker.
# Extras stay named: pip takes a pin of `coverage` for none of `coverage[toml]`, once a newer `coverage` is out.
COMPILE = build/uv/bin/uv pip compile --quiet --universal --python-version 3.11.0 --fork-strategy fewest \
	--generate-hashes --no-header --no-strip-extras
lock:
	test -x build/uv/bin/uv || ($(PYTHON) -m venv build/uv && build/uv/bin/pip install --quiet uv)
	$(COMPILE) --extra build -o requirements.lock pyproject.toml
	$(COMPILE) --extra build --extra sandbox --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml

clean:
	rm -rf .venv .venv.lock var build
