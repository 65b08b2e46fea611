"""Rollups by customer and month, and by model and day, without series."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("analytics", "0003_import_period")]
    operations: list[migrations.operations.base.Operation] = []
