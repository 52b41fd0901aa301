"""The same for Jinja2: ``{% if flag("key") %}``, ``variant("key")``, ``flags_json()``, …"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured

from flaggate import browser
from flaggate.flags import flags_for, request_of

try:
    from jinja2 import pass_context
    from jinja2.ext import Extension
except ImportError as error:
    raise ImproperlyConfigured(
        "flaggate.jinja2 needs Jinja2. Install it: pip install 'flaggate[jinja2]'"
    ) from error

if TYPE_CHECKING:
    from django.utils.safestring import SafeString
    from jinja2 import Environment
    from jinja2.runtime import Context

    from flaggate.flags import Flags


def _flags_of(context: Context) -> Flags:
    """Return the flags of the request that a template is rendered for, or of nobody."""
    return flags_for(request_of(context.get("request")))


@pass_context
def flag(context: Context, key: str) -> bool:
    """Tell whether a flag is active."""
    return _flags_of(context).is_active(key)


@pass_context
def variant(context: Context, key: str) -> str | None:
    """Return the key of the variant that a flag serves."""
    return _flags_of(context).variant(key)


@pass_context
def value(context: Context, key: str, default: Any = None) -> Any:
    """Return the value that a flag serves, or ``default`` where it has none to give."""
    return _flags_of(context).value(key, default)


@pass_context
def flags_json(context: Context) -> SafeString:
    """Write the flags that a browser may see for ``flaggate/flags.js``."""
    return browser.flags_json(request_of(context.get("request")))


class FlagsExtension(Extension):
    """Adds the globals ``flag``, ``variant``, ``value`` and ``flags_json`` to an environment."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.globals.update(flag=flag, variant=variant, value=value, flags_json=flags_json)
