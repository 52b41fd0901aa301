"""The parts of a flag, each a row on its page: rules, variants, prerequisites, stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from flaggate.admin.columns import shown
from flaggate.admin.fields import HoldsField, JSONField, PercentageField
from flaggate.admin.formsets import OrderedForm, OrderedParts, Part
from flaggate.admin.widgets import ManyByKey, OneByKey
from flaggate.models import Prerequisite, Rule, Stage, Variant, wording
from flaggate.models.flags import Percentage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import Field
    from django.http import HttpRequest

    Overrides = dict[type[Field[Any, Any]], Mapping[str, Any]]

VARIANT = {"class": "vTextField", "list": "flaggate-variants"}  # offered by the page's datalist
PERCENTAGES: Overrides = {Percentage: {"form_class": PercentageField}}


class RuleForm(OrderedForm):
    """A rule, which may name a variant."""

    class Meta:
        widgets = {"variant": forms.TextInput(VARIANT)}


class VariantForm(OrderedForm):
    """A variant, its value as JSON."""

    value = JSONField(label=_("value"), help_text=Variant._meta.get_field("value").help_text)


class RuleInline(Part):
    """Who gets the flag, in order."""

    model = Rule
    verbose_name_plural = _("rules: the first that matches decides")
    form = RuleForm
    formset = OrderedParts
    classes = (*Part.classes, "flaggate-ordered")
    formfield_overrides = PERCENTAGES
    fields = ("order", "segments", "percentage", "variant")
    columns = {"percentage": "share"}
    share = shown(Rule, "percentage", wording.percent)
    autocomplete_fields = ("segments",)

    def formfield_for_manytomany(self, db_field: Any, request: Any, **options: Any) -> Any:
        options["widget"] = ManyByKey(db_field, self.admin_site)
        return super().formfield_for_manytomany(db_field, request, **options)


class VariantInline(Part):
    """What the flag serves."""

    model = Variant
    form = VariantForm
    formset = OrderedParts
    template = "admin/flaggate/flag/variants.html"
    classes = (*Part.classes, "flaggate-ordered")
    fields = ("order", "key", "value", "weight")


class StageForm(OrderedForm):
    """A stage, which holds for "12h" or "2d"."""

    holds = HoldsField()


class StageInline(Part):
    """The stages that a rollout will go through; not to be edited while one runs."""

    model = Stage
    verbose_name_plural = _("rollout stages")
    form = StageForm
    formset = OrderedParts
    classes = (*Part.classes, "flaggate-ordered")
    formfield_overrides = PERCENTAGES
    fields = ("order", "percentage", "holds")
    columns = {"percentage": "share", "holds": "length"}
    share = shown(Stage, "percentage", wording.percent)
    length = shown(Stage, "holds", wording.duration)


class PrerequisiteInline(Part):
    """What must be active first."""

    model = Prerequisite
    fk_name = "flag"
    fields = ("required", "variant")
    autocomplete_fields = ("required",)

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **options: Any) -> Any:
        options["widget"] = OneByKey(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **options)

    def get_formset(self, request: HttpRequest, obj: Any = None, **options: Any) -> Any:
        formset = super().get_formset(request, obj, **options)
        widget = formset.form.base_fields["required"].widget
        # A flag is no detail of another one: only to be looked at from there.
        widget.can_add_related = widget.can_change_related = widget.can_delete_related = False
        return formset
