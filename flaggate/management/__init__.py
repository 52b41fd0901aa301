"""``manage.py flags``: a module for each noun, one thin command before them."""
