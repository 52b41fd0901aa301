"""Feature flags for Django.

Imported while ``INSTALLED_APPS`` loads, so nothing here may import models: the public names are
looked up on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flaggate.core.evaluation import Evaluation as Evaluation
    from flaggate.core.evaluation import EvaluationContext as EvaluationContext
    from flaggate.flags import Flags as Flags
    from flaggate.flags import FlagsHttpRequest as FlagsHttpRequest
    from flaggate.flags import aflags_for as aflags_for
    from flaggate.flags import evaluate as evaluate
    from flaggate.flags import flags_for as flags_for
    from flaggate.flags import is_active as is_active
    from flaggate.flags import track as track
    from flaggate.flags import value as value
    from flaggate.flags import variant as variant
    from flaggate.store import status as status

__version__ = "0.1.0"

_PUBLIC = {
    "Evaluation": "core.evaluation",
    "EvaluationContext": "core.evaluation",
    "Flags": "flags",
    "FlagsHttpRequest": "flags",
    "aflags_for": "flags",
    "evaluate": "flags",
    "flags_for": "flags",
    "is_active": "flags",
    "status": "store",
    "track": "flags",
    "value": "flags",
    "variant": "flags",
}

__all__ = [
    "__version__",
    *sorted(_PUBLIC),
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'flaggate' has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"flaggate.{_PUBLIC[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
