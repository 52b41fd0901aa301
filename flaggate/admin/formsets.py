"""The parts of a flag or segment: rows that are edited on its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth import get_permission_codename
from django.forms.formsets import DELETION_FIELD_NAME
from django.forms.models import BaseInlineFormSet
from django.utils.translation import gettext_lazy as _

from flaggate.admin.columns import readable
from flaggate.admin.refusals import Place, problems_of
from flaggate.admin.saving import Saving

if TYPE_CHECKING:
    from django.db import IntegrityError
    from django.http import HttpRequest

    from flaggate.exceptions import ChangeRefused

# What the write path calls otherwise than the form.
FIELDS = {"flag": "required"}


class Parts(BaseInlineFormSet):  # type: ignore[type-arg]
    """Rows that show a refused change at the fields it is about."""

    refusal: ChangeRefused | IntegrityError | None = None

    def clean(self) -> None:
        super().clean()
        subject = self.instance._meta.model_name
        for problem in problems_of(self.refusal, subject, self.instance.key):
            place = Place(problem)
            if place.head == self.get_default_prefix():
                self._show(place)

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        for field in form.fields.values():  # the headings of a table's columns label none of them
            widget = getattr(field.widget, "widget", field.widget)
            if field.label:
                widget.attrs.setdefault("aria-label", field.label)

    def stored_order(self, form: forms.ModelForm[Any]) -> tuple[Any, ...]:
        """Say where a row stands among those that the write path counts."""
        return (form.instance.pk or float("inf"),)

    def get_queryset(self) -> Any:
        # Admin pairs the rows of the form with these. Once the form stands, they are its own:
        # a row that somebody else has deleted would shift all that follow.
        if self.is_bound and "forms" in self.__dict__:
            return [form.instance for form in self.initial_forms]
        return super().get_queryset()

    def _show(self, place: Place) -> None:
        rows = sorted(self._kept(), key=self.stored_order)
        if place.position is None or place.position >= len(rows):
            raise forms.ValidationError(place.message)
        form = rows[place.position]
        field = FIELDS.get(place.field or "", place.field)
        form.add_error(field if field in form.fields else None, place.message)

    def _kept(self) -> list[forms.ModelForm[Any]]:
        return [
            form
            for form in self.forms
            if (form.instance.pk or form.has_changed())
            and not getattr(form, "cleaned_data", {}).get(DELETION_FIELD_NAME)
        ]


class OrderedParts(Parts):
    """Rows in an order that the operator numbers; one without a number goes last."""

    def clean(self) -> None:
        kept = self._kept()
        orders = [form.instance.order for form in kept if form.instance.order is not None]
        last = max(orders, default=-1)
        for form in kept:
            if form.instance.order is None:
                form.instance.order = last = last + 1
        super().clean()

    def stored_order(self, form: forms.ModelForm[Any]) -> tuple[Any, ...]:
        return (form.instance.order or 0, *super().stored_order(form))


class OrderedForm(forms.ModelForm):  # type: ignore[type-arg]
    """A row that begins without a number."""

    order = forms.IntegerField(
        label=_("order"),
        required=False,
        min_value=0,
        max_value=32767,
        widget=forms.NumberInput({"size": 3}),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk is None:
            self.initial["order"] = None


class Part(admin.TabularInline):  # type: ignore[type-arg]
    """Rows that may be edited by whoever may edit the whole."""

    formset = Parts
    classes: tuple[str, ...] = ("flaggate-parts",)
    extra = 1
    columns: dict[str, str] = {}  # what shows which field to those who may only look

    def get_formset(self, request: HttpRequest, obj: Any = None, **options: Any) -> Any:
        formset = super().get_formset(request, obj, **options)
        formset.refusal = Saving.of(request).refusal  # type: ignore[attr-defined]
        return formset

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_fields(request, obj)
        return fields if self._may_write(request, obj) else readable(fields, self.columns)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), *self.columns.values()]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "view") or self._may_write(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_write(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_write(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_write(request, obj)

    def _may_write(self, request: HttpRequest, obj: Any) -> bool:
        return self._may(request, "add" if obj is None else "change")

    def _may(self, request: HttpRequest, action: str) -> bool:
        whole = self.parent_model._meta
        codename = get_permission_codename(action, whole)
        return request.user.has_perm(f"{whole.app_label}.{codename}")
