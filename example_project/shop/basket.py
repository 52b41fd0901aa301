"""The basket in a visitor's session, and what its contents cost."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.sessions.backends.base import SessionBase

from shop.models import Product

MOST_OF_ONE = 9

COURIER = Decimal("6.00")
FREE_SHIPPING_FROM = Decimal("40.00")
SHIPPING = {"live": Decimal("3.90"), "flat": Decimal("4.90")}  # by variant of shipping_rates


@dataclass(frozen=True)
class Line:
    product: Product
    quantity: int

    @property
    def price(self) -> Decimal:
        return self.product.price * self.quantity


@dataclass(frozen=True)
class Bill:
    goods: Decimal
    shipping: Decimal
    courier: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        return self.goods + self.shipping + self.courier


class Basket:
    """Quantities by product slug, kept in a session."""

    def __init__(self, session: SessionBase) -> None:
        self.session = session
        self.quantities: dict[str, int] = session.get("basket", {})

    def __len__(self) -> int:
        return sum(self.quantities.values())

    def __iter__(self) -> Iterator[Line]:
        for product in Product.objects.filter(slug__in=self.quantities):
            yield Line(product, self.quantities[product.slug])

    def add(self, slug: str) -> None:
        """Put one more of a product in."""
        self.put(slug, self.quantities.get(slug, 0) + 1)

    def put(self, slug: str, quantity: int) -> None:
        """Have this many of a product in; none takes it out."""
        self.quantities[slug] = min(quantity, MOST_OF_ONE)
        if quantity < 1:
            del self.quantities[slug]
        self.session["basket"] = self.quantities

    def clear(self) -> None:
        """Take everything out."""
        self.quantities = {}
        self.session.pop("basket", None)

    def bill(self, rate: str | None, *, courier: bool = False) -> Bill:
        """Add up the goods and their shipping at a rate ("live" or "flat")."""
        goods = sum((line.price for line in self), Decimal(0))
        shipping = SHIPPING.get(rate or "", SHIPPING["flat"])
        return Bill(
            goods=goods,
            shipping=Decimal(0) if goods >= FREE_SHIPPING_FROM else shipping,
            courier=COURIER if courier else Decimal(0),
        )
