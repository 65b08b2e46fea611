"""Coarse rollups: by flow, by model, by customer and month, without the rest of the series."""

from pathlib import Path

from django.db import migrations

SQL = (Path(__file__).parent / "coarse.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("analytics", "0003_import_period")]
    operations = [migrations.RunSQL(sql=SQL, reverse_sql=migrations.RunSQL.noop)]
