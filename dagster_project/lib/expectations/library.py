"""The one door to Great Expectations: what its import costs, and how half of that is left out.

Measured (CPU, warm, on top of pandas and SQLAlchemy): 2.2 s as it comes, 1.1 s through this door.
What is left out are altair and scipy, which one expectation (the Kullback-Leibler divergence) and
its chart need; they are imported when that expectation is used, and not before. Where pyspark is
installed, it is hidden too: Great Expectations would import it (1 s more) and judges pandas frames.
"""

import importlib
import logging
import sys
import threading
from types import ModuleType
from typing import Any

_NEEDED_LATER = ("scipy", "scipy.stats", "altair")
_HIDDEN = "pyspark"
_LOCK = threading.Lock()


class _Deferred(ModuleType):
    """Stands in for a module until an attribute of it is asked for.

    The standard library's `importlib.util.LazyLoader` does not serve: `import x` asks a module that
    is already known for its `__spec__`, and that loads it at once.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        _withdraw_stand_ins()
        return getattr(importlib.import_module(self.__name__), name)


def load_library() -> Any:
    """The imported package `great_expectations`; takes about a second the first time."""
    with _LOCK:
        if "great_expectations" not in sys.modules:
            _import_without_plots()
        # Imported here, not above: it takes a second, and only the gate of a run needs it.
        import great_expectations

        return great_expectations


def _import_without_plots() -> None:
    for name in _NEEDED_LATER:
        if name not in sys.modules:
            sys.modules[name] = _Deferred(name)
    if isinstance(sys.modules["scipy"], _Deferred):
        sys.modules["scipy"].__dict__["stats"] = sys.modules["scipy.stats"]
    hidden = sys.modules.get(_HIDDEN)
    # what stands as None cannot be imported
    sys.modules[_HIDDEN] = None  # type: ignore[assignment]
    try:
        import great_expectations  # noqa: F401  (imported for the registries that it fills)
    finally:
        _withdraw_stand_ins()
        del sys.modules[_HIDDEN]
        if hidden is not None:
            sys.modules[_HIDDEN] = hidden
    # Each metric is logged at INFO, which would drown a run's own lines.
    logging.getLogger("great_expectations").setLevel(logging.WARNING)


def _withdraw_stand_ins() -> None:
    for name in _NEEDED_LATER:
        if isinstance(sys.modules.get(name), _Deferred):
            del sys.modules[name]
