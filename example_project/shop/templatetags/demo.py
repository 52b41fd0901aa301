from typing import Any

from django import template
from django.conf import settings
from django.template.context import Context

from shop.demo import bar
from shop.seeds.people import PEOPLE

register = template.Library()


@register.inclusion_tag("shop/demo/bar.html", takes_context=True)
def demo_bar(context: Context) -> dict[str, Any]:
    """Say who the visitor is, and why `new_checkout` is on or off. Looking records nothing."""
    request = context["request"]
    visitor = request.flags.context.attributes["visitor"]
    return {
        "bar": bar.describe(visitor, request.flags.explain("new_checkout")),
        "people": PEOPLE if settings.DEBUG else [],
        "request": request,
        "csrf_token": context.get("csrf_token"),
    }
