"""An app that asks for flags early."""
