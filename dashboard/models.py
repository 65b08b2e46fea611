"""What pages remember: which colour a member of a set was given."""

from django.db import models

from accounts.models import Project


class Colour(models.Model):
    """The place (1 to 7) in the palette that a model, feature, … has on every page of its project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="colours")
    dimension = models.CharField(max_length=120)
    value = models.CharField(max_length=250)
    place = models.PositiveSmallIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["project", "dimension", "place"], name="colour_place"),
            models.UniqueConstraint(fields=["project", "dimension", "value"], name="colour_value"),
        )

    def __str__(self) -> str:
        return f"{self.dimension} {self.value}: c{self.place}"
