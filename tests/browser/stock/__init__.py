"""Pages of admin in which nothing is flaggate's: what Django's own markup is measured by."""
