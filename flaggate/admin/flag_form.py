"""The form of a flag, without its parts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from flaggate import changes
from flaggate.admin.fields import TagsField, TargetingKeysField
from flaggate.admin.inlines import VARIANT
from flaggate.admin.saving import REVIEW
from flaggate.admin.supposing import ASK
from flaggate.admin.write import RecordedForm
from flaggate.core.definitions import Problem
from flaggate.core.messages import Message
from flaggate.exceptions import Invalid
from flaggate.models import Tombstone
from flaggate.models.wording import rollout_of


class Unstated(Invalid):
    """A first rule, with nobody having said what everyone else gets."""


class FlagForm(RecordedForm):
    """A flag without its parts, plus the people to add to it."""

    parts = ("variants", "rules", "prerequisites", "stages")

    tags = TagsField(
        label=_("Tags"),
        required=False,
        widget=forms.TextInput({"class": "vTextField"}),
        help_text=_("Separated by commas."),
    )
    people = TargetingKeysField(
        label=_("Add people"),
        required=False,
        help_text=_(
            "Targeting keys, such as a user's id, one a line. They get the flag by the rule on "
            "top, and are kept in the segment that is named after the flag, with “.people”."
        ),
    )
    typed_key = forms.CharField(
        label=_("Type the key"),
        required=False,
        widget=forms.TextInput({"autocomplete": "off"}),
        help_text=_("This flag is critical: type its key, so that it is not changed by mistake."),
    )
    stated = forms.BooleanField(label="", required=False, widget=forms.HiddenInput)

    class Meta:
        widgets = {"off_variant": forms.TextInput(VARIANT)}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        percentage = self.fields.get("percentage")  # absent for whoever may only look
        if percentage and rollout_of(self.instance):
            percentage.help_text = _(
                "The rollout decides now, not this number. Stop the rollout to set a share by hand."
            )
            # Who began before the rollout did may have typed something, and keeps it to be mended.
            percentage.widget.attrs["readonly"] = not self.is_bound

    def clean_key(self) -> Any:
        key = self.cleaned_data["key"]
        if Tombstone.objects.filter(key=key).exists():
            raise ValidationError(
                _("“%(key)s” belonged to a flag that was deleted. Choose another key."),
                params={"key": key},
            )
        return key

    def clean_typed_key(self) -> Any:
        typed = self.cleaned_data["typed_key"]
        looking = REVIEW in self.data or ASK in self.data  # which saves nothing
        asked = self.instance.pk and self.instance.critical and not looking
        if asked and typed != self.instance.key:
            raise ValidationError(
                _("Type “%(key)s”: this flag is critical."), params={"key": self.instance.key}
            )
        return typed

    def clean(self) -> Any:
        cleaned = super().clean()
        if isinstance(self.refusal, Unstated):
            data: Any = self.data
            self.data = data = data.copy()
            data["percentage"], data["stated"] = "0", "on"
        return cleaned


def must_state(form: Any) -> None:
    """Raise Unstated where a first rule would leave the flag on for everyone else unasked."""
    flag = form.instance
    if form.cleaned_data["stated"] or "percentage" in form.changed_data:
        with changes.change() as opened:
            opened.state_percentage(flag.key)
        return
    if flag.percentage != 100:
        return
    raise Unstated(
        f"flag {flag.key}",
        [
            Problem(
                "percentage",
                Message(
                    "This is the flag's first rule: say what everyone else gets. 0, filled in now, "
                    "is nobody but those in the rule. Then save again."
                ),
            )
        ],
    )
