from django.contrib import admin

from shop.models import Product


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "price", "shelf"]
    list_filter = ["shelf"]
    search_fields = ["name", "tagline"]
