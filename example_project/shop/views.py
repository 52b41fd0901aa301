"""The shop's pages; each asks its flags where it acts on the answer."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.crypto import get_random_string
from django.views.decorators.http import require_POST, require_safe

from flaggate import FlagsHttpRequest
from flaggate.flags import Flags
from shop.basket import Basket, Bill
from shop.forms import DeliveryForm
from shop.models import Product

GATED_SHELVES = {
    "early_access": Product.Shelf.EARLY,
    "autumn_collection": Product.Shelf.AUTUMN,
}


def products_for(flags: Flags) -> QuerySet[Product]:
    """Choose the products that this visitor may see and buy."""
    gated = [shelf for flag, shelf in GATED_SHELVES.items() if flags.is_active(flag)]
    return Product.objects.filter(shelf__in=[Product.Shelf.MAIN, *gated])


def bill_for(request: FlagsHttpRequest, *, courier: bool = False) -> Bill:
    rate = request.flags.variant("shipping_rates")
    return Basket(request.session).bill(rate, courier=courier)


@require_safe
def home(request: FlagsHttpRequest) -> HttpResponse:
    products = products_for(request.flags)
    context = {
        "products": products.filter(shelf=Product.Shelf.MAIN),
        "extras": products.exclude(shelf=Product.Shelf.MAIN),
    }
    return render(request, "shop/home.html", context)


@require_safe
def product(request: FlagsHttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(products_for(request.flags), slug=slug)
    return render(request, "shop/product.html", {"product": found})


@require_safe
def basket(request: FlagsHttpRequest) -> HttpResponse:
    return render(request, "shop/basket.html", {"bill": bill_for(request)})


@require_POST
def add(request: FlagsHttpRequest, slug: str) -> HttpResponse:
    """Put a product into the basket; "Buy now" goes straight on to the checkout."""
    found = get_object_or_404(products_for(request.flags), slug=slug)
    Basket(request.session).add(found.slug)
    if "buy" in request.POST:
        return redirect("shop:checkout")
    messages.success(request, f"{found.name} is in your basket.")
    return redirect("shop:basket")


@require_POST
def put(request: HttpRequest, slug: str) -> HttpResponse:
    """Change how many of a product are in the basket."""
    quantity = request.POST.get("quantity", "")
    if quantity.isdecimal():
        Basket(request.session).put(slug, int(quantity))
    return redirect("shop:basket")


def checkout(request: FlagsHttpRequest) -> HttpResponse:
    """Send whoever has the new checkout to it, and the others through the two steps."""
    if request.flags.is_active("new_checkout"):
        return redirect("shop:express_checkout")
    return classic_checkout(request)


def classic_checkout(request: FlagsHttpRequest) -> HttpResponse:
    """Ask for the address; the next step shows the order once more."""
    if not Basket(request.session):
        return redirect("shop:basket")
    form = delivery_form(request)
    if form.is_valid():
        request.session["delivery"] = form.cleaned_data
        return redirect("shop:review")
    return render(request, "shop/checkout.html", {"form": form, "bill": bill_for(request)})


def review(request: FlagsHttpRequest) -> HttpResponse:
    delivery = request.session.get("delivery")
    if not delivery or not Basket(request.session):
        return redirect("shop:checkout")
    if request.method == "POST":
        return place_order(request, delivery)
    return render(request, "shop/review.html", {"delivery": delivery, "bill": bill_for(request)})


def express_checkout(request: FlagsHttpRequest) -> HttpResponse:
    """Take the address and the order on one page."""
    if not Basket(request.session):
        return redirect("shop:basket")
    form = delivery_form(request)
    if form.is_valid():
        return place_order(request, form.cleaned_data)
    return render(request, "shop/express.html", {"form": form, "bill": bill_for(request)})


def delivery_form(request: FlagsHttpRequest) -> DeliveryForm:
    user = request.user
    known = {"name": user.get_full_name(), "email": user.email} if user.is_authenticated else {}
    return DeliveryForm(request.POST or None, initial=known, flags=request.flags)


def place_order(request: FlagsHttpRequest, delivery: dict[str, Any]) -> HttpResponse:
    """Turn the basket into an order. Nothing is charged and nothing is sent: it is an example."""
    bill = bill_for(request, courier=delivery.get("courier", False))
    request.session["order"] = {
        "number": get_random_string(6, "ACDEFHJKMNPRTUVWXY34679"),
        "name": delivery["name"],
        "total": str(bill.total),
    }
    Basket(request.session).clear()
    request.session.pop("delivery", None)
    return redirect("shop:thanks")


@require_safe
def thanks(request: HttpRequest) -> HttpResponse:
    order = request.session.get("order")
    if not order:
        return redirect("shop:home")
    return render(request, "shop/thanks.html", {"order": order})
