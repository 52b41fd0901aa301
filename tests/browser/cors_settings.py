"""The shop's settings, and those for pages of another origin as the how-to writes them."""

import os
from pathlib import Path

from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from shop_site.settings import *  # noqa: F403 - that is what the shop's settings are for

HOWTO = Path(__file__).parents[2] / "docs/howto/use-from-javascript.md"

(_sample,) = Sybil(parsers=[PythonCodeBlockParser()]).parse(HOWTO).examples()
exec(str(_sample.parsed), globals())

CORS_ALLOWED_ORIGINS = [os.environ["ALLOWED_ORIGIN"]]
