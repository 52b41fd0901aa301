from decimal import Decimal

from django import template

register = template.Library()


@register.filter
def euros(amount: Decimal) -> str:
    """Write an amount as the price tags do."""
    return f"€{amount:.2f}"
