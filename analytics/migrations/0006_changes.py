"""The change ledger."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("analytics", "0005_scores")]
    operations: list[migrations.operations.base.Operation] = []
