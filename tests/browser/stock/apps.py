from django.apps import AppConfig


class StockConfig(AppConfig):
    name = "tests.browser.stock"
    label = "stock"
