"""``{% load flaggate %}``: ask for flags in templates, whatever characters their keys have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template

from flaggate import browser
from flaggate.flags import flags_for, request_of

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.template.base import FilterExpression, NodeList, Parser, Token
    from django.template.context import Context
    from django.utils.safestring import SafeString

    from flaggate.flags import Flags

register = template.Library()


def flags_of(context: Any) -> Flags:
    """Return the flags of the request that a template is rendered for, or of nobody."""
    return flags_for(_request_of(context))


def _request_of(context: Any) -> HttpRequest | None:
    return request_of(getattr(context, "request", None) or context.get("request"))


class FlagNode(template.Node):
    """One branch or the other, as a flag is active or not."""

    child_nodelists = ("active", "otherwise")

    def __init__(self, key: FilterExpression, active: NodeList, otherwise: NodeList) -> None:
        self.key = key
        self.active = active
        self.otherwise = otherwise

    def render(self, context: Context) -> str:
        active = flags_of(context).is_active(self.key.resolve(context))
        return (self.active if active else self.otherwise).render(context)


@register.tag
def flag(parser: Parser, token: Token) -> FlagNode:
    """Render ``{% flag "key" %}…{% else %}…{% endflag %}``."""
    words = token.split_contents()
    if len(words) != 2:
        raise template.TemplateSyntaxError(
            f'{words[0]!r} takes one argument, the key of a flag: {{% {words[0]} "new_checkout" %}}'
        )
    active = parser.parse(("else", "endflag"))
    otherwise = template.NodeList()
    if parser.next_token().contents == "else":
        otherwise = parser.parse(("endflag",))
        parser.delete_first_token()
    return FlagNode(parser.compile_filter(words[1]), active, otherwise)


@register.simple_tag(takes_context=True)
def variant(context: Context, key: str) -> str | None:
    """Return the key of the variant that a flag serves: ``{% variant "key" as name %}``."""
    return flags_of(context).variant(key)


@register.simple_tag(takes_context=True)
def value(context: Context, key: str, default: Any = None) -> Any:
    """Return the value that a flag serves: ``{% value "key" 10 as name %}``."""
    return flags_of(context).value(key, default)


@register.simple_tag(takes_context=True)
def flags_json(context: Context) -> SafeString:
    """Write the flags that a browser may see for ``flaggate/flags.js``: ``{% flags_json %}``."""
    return browser.flags_json(_request_of(context))
