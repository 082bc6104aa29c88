"""Runs cases: every function of a module whose name begins with `test_`, in the order they are written."""

import sys
import time
import traceback


class Failed(AssertionError):
    """A case that did not hold."""


def that(holds: object, what: str) -> None:
    if not holds:
        raise Failed(what)


def equal(found: object, wanted: object, what: str) -> None:
    if found != wanted:
        raise Failed(f"{what}: {found!r}, not {wanted!r}")


def run(modules: list, lab: object, only: str) -> int:
    passed, failed = 0, []
    for module in modules:
        for name, case in list(vars(module).items()):
            if not name.startswith("test_") or only not in f"{module.__name__}.{name}":
                continue
            title = f"{module.__name__}: {name[5:].replace('_', ' ')}"
            began = time.monotonic()
            try:
                note = case(lab)
                passed += 1
                print(f"ok   {title} ({time.monotonic() - began:.1f} s){f': {note}' if note else ''}", flush=True)
            except Exception as error:  # a broken case must not hide the others
                failed.append(title)
                print(f"FAIL {title}: {error}", flush=True)
                if not isinstance(error, Failed):
                    traceback.print_exc(limit=-3, file=sys.stdout)
            finally:
                lab.stop_all()
    print(f"{passed} passed, {len(failed)} failed")
    return 0 if passed and not failed else 1
