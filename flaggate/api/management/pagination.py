"""Pages by cursor: nothing is skipped or shown twice while others write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


OF_EVERY_PAGE = ("cursor", "page_size")  # parameters of each list


class Pages(CursorPagination):
    """A hundred entries a page; ``page_size`` asks for up to a thousand."""

    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 1000
    ordering = "key"

    def get_page_size(self, request: Request) -> int | None:
        asked = request.query_params.get(self.page_size_query_param, "1")
        if not (asked.isdecimal() and asked.strip("0")):
            problem = f"is {asked!r}. Use a number from 1 to {self.max_page_size}."
            raise ValidationError({self.page_size_query_param: [problem]})
        return super().get_page_size(request)

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any] | None:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (DjangoValidationError, ValueError):  # a cursor that nobody was given
            raise NotFound(self.invalid_cursor_message) from None
