"""What pages remember: which colour a member of a set was given, and views that people saved."""

from django.db import models
from django.utils import timezone

from accounts.models import Project, User


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


class SavedView(models.Model):
    """A page with its question under a name: one person's own, or everybody's in the project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="saved_views")
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=100)
    page = models.CharField(max_length=300)  # behind /p/<slug>/
    query = models.CharField(max_length=4000, blank=True)
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        # The views of a project by name.
        indexes = (models.Index(fields=["project", "name"], name="saved_view_name"),)

    def __str__(self) -> str:
        return self.name
