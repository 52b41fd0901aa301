"""The shop's settings, and some stock pages of admin to compare with."""

from shop_site.settings import *  # noqa: F403
from shop_site.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.browser.stock"]
