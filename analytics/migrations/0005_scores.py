"""Scores, their definitions and their rollups."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("analytics", "0004_coarse_rollups")]
    operations: list[migrations.operations.base.Operation] = []
