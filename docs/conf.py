"""Sphinx: MyST for the pages, Furo for their looks. Nothing is fetched while building."""

project = "flaggate"
copyright = "2026, flaggate contributors"
author = "flaggate contributors"

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
nitpicky = True

html_theme = "furo"
html_title = "flaggate"
html_copy_source = False
