"""Parts of tests/live/run: each module is one kind of test and has `run(harness)` or functions that take one."""
