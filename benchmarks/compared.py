"""django-waffle beside it, where it is installed: another design, for orientation only."""

from __future__ import annotations

from measure import Subject
from public import of_user


def subjects() -> list[Subject]:
    """Return django-waffle's decision on a percentage, with its flags in a cache in memory."""
    import waffle
    from waffle.models import Flag

    Flag.objects.create(name="percentage", percent=50)
    names = {"waffle": waffle, "request": of_user()}
    ask = "waffle.flag_is_active(request, 'percentage')"
    return [
        Subject(
            "waffle.flag_is_active, first in a request", f"request.waffles = {{}}; {ask}", names
        ),
        Subject("waffle.flag_is_active, asked again", ask, names),
    ]
