"""Sphinx: MyST for the pages, autodoc for the reference, Furo for their looks.

Nothing is fetched while building.
"""

import re
import sys
from pathlib import Path

import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "flaggate"]
)
django.setup()  # autodoc imports models

project = "flaggate"
copyright = "2026, flaggate contributors"
author = "flaggate contributors"

sys.path.insert(0, str(Path(__file__).parent))  # for openapi_page
extensions = ["myst_parser", "sphinx.ext.autodoc", "openapi_page"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]

nitpicky = True
nitpick_ignore_regex = [("py:class", r"(?!flaggate\b).*")]  # bases that are Python's or Django's

autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # as in Django's own documentation; mypy reads them in the code
# Classes that a project makes, and records, which hold what they are made of.
WITH_CONSTRUCTOR = re.compile(
    r"flaggate\.(EvaluationContext|changes\.members|core\.definitions|core\.explanation\.\w+Step|testing)"
)


def hide_constructor(app, what, name, obj, options, signature, returns):
    """Show how a class is made only where that is of use."""
    made = signature and what in ("class", "exception")
    return ("", "") if made and not WITH_CONSTRUCTOR.match(name) else None


def setup(app):
    app.connect("autodoc-process-signature", hide_constructor)


html_theme = "furo"
html_title = "flaggate"
html_copy_source = False
