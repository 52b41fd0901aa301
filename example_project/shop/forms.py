from typing import Any

from django import forms

from flaggate.flags import Flags


class DeliveryForm(forms.Form):
    """Where an order goes; what a flag keeps back is no field at all."""

    name = forms.CharField(max_length=80, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(
        label="E-mail", widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    street = forms.CharField(
        label="Street and number",
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "street-address"}),
    )
    postcode = forms.CharField(
        max_length=12, widget=forms.TextInput(attrs={"autocomplete": "postal-code"})
    )
    city = forms.CharField(
        max_length=60, widget=forms.TextInput(attrs={"autocomplete": "address-level2"})
    )
    gift_wrap = forms.BooleanField(label="Wrap it as a present (free)", required=False)
    invoice = forms.BooleanField(label="Pay by invoice within 14 days", required=False)
    courier = forms.BooleanField(label="By courier, tomorrow (+ €6.00)", required=False)

    FLAGS = {"gift_wrap": "gift_wrap", "invoice": "pay_by_invoice", "courier": "express_delivery"}

    def __init__(self, *args: Any, flags: Flags, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field, flag in self.FLAGS.items():
            if not flags.is_active(flag):
                del self.fields[field]
