"""Steps that are no calls, counted."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("analytics", "0007_catalogue")]
    operations: list[migrations.operations.base.Operation] = []
