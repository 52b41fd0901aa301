"""Flags and Django REST framework."""
