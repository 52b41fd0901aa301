"""Pages by cursor: nothing is skipped or shown twice while others write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class Pages(CursorPagination):
    """A hundred entries a page; ``page_size`` asks for up to a thousand."""

    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 1000
    ordering = "key"

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any] | None:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValidationError, ValueError):  # a cursor that nobody was given
            raise NotFound(self.invalid_cursor_message) from None
