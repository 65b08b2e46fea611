"""Owner, cost centre and description of flows; saved views; link templates."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("analytics", "0006_changes")]
    operations: list[migrations.operations.base.Operation] = []
