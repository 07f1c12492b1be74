# SPDX-License-Identifier: Apache-2.0
# Every target does all its own set-up and skip what is already there.
#   make demo    a real recording through the whole ROS 2 graph; pictures in demo-out/
#   make docs    the API pages from the docstrings, in docs-out/
#   make test    lint, types, import rules, unit tests, ROS tests, colcon build and test;
#                TEST_ARGS="test/geometry -x" runs that alone, by pytest's arguments
PYTHON ?= python3
VENV ?= .venv

export ROS_AUTOMATIC_DISCOVERY_RANGE ?= LOCALHOST

# Called from another environment's Python with ROS wheels: its libraries are not for this one.
ifdef _ROS_WHEELS_BOOTSTRAP_COMPLETE
unexport _ROS_WHEELS_BOOTSTRAP_COMPLETE LD_LIBRARY_PATH
endif

.PHONY: demo test docs setup-demo setup-test clean

demo: setup-demo
	@$(VENV)/bin/stn demo --output demo-out $(DEMO_ARGS)

test: setup-test
	@$(VENV)/bin/python $(if $(strip $(TEST_ARGS)),-m pytest $(TEST_ARGS),tools/run_tests.py)

docs: setup-test
	@$(VENV)/bin/pdoc stn_perception -o docs-out && echo "docs-out/index.html"

setup-demo setup-test: setup-%:
	@command -v $(PYTHON) >/dev/null || { echo "[setup] $(PYTHON) was not found; on Debian and Ubuntu: apt install python3 python3-venv python3-dev g++" >&2; exit 1; }
	@$(PYTHON) tools/setup_environment.py $* --environment $(VENV)

clean:
	rm -rf $(VENV) demo-out docs-out build install log
