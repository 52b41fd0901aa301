"""``{% load flaggate %}``: ask for flags in templates, whatever characters their keys have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template

from flaggate.flags import flags_for, request_of

if TYPE_CHECKING:
    from django.template.base import FilterExpression, NodeList, Parser, Token
    from django.template.context import Context

    from flaggate.flags import Flags

register = template.Library()


def flags_of(context: Any) -> Flags:
    """Return the flags of the request that a template is rendered for, or of nobody."""
    request = getattr(context, "request", None) or context.get("request")
    return flags_for(request_of(request))


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
