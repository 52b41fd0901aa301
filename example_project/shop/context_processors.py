from typing import Any

from django.http import HttpRequest

from shop.basket import Basket


def basket(request: HttpRequest) -> dict[str, Any]:
    """Give every page the basket, for the count beside its link."""
    return {"basket": Basket(request.session)}
