from django.db import models
from django.urls import reverse


class Product(models.Model):
    class Shelf(models.TextChoices):
        MAIN = "main", "the shop"
        EARLY = "early", "early access"
        AUTUMN = "autumn", "autumn collection"

    class Tint(models.TextChoices):
        BLUE = "blue", "blue"
        GREEN = "green", "green"
        LILAC = "lilac", "lilac"
        ROSE = "rose", "rose"
        YELLOW = "yellow", "yellow"

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    tagline = models.CharField(max_length=120)
    description = models.TextField()
    details = models.TextField(help_text="One detail a line.")
    note = models.CharField(max_length=200, help_text="What the makers scribbled beside it.")
    price = models.DecimalField(max_digits=6, decimal_places=2, help_text="In euros.")
    shelf = models.CharField(max_length=10, choices=Shelf.choices, default=Shelf.MAIN)
    tint = models.CharField(max_length=10, choices=Tint.choices, default=Tint.BLUE)
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["order", "name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("shop:product", args=[self.slug])

    @property
    def illustration(self) -> str:
        """Name the static file with the product's drawing."""
        return f"shop/products/{self.slug}.svg"
