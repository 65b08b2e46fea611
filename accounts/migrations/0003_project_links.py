from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_project_earlier_zones"),
    ]

    operations = [
        migrations.AddField(
            model_name="project",
            name="tracer_link",
            field=models.CharField(blank=True, default="", max_length=500),
        ),
        migrations.AddField(
            model_name="project",
            name="repository_link",
            field=models.CharField(blank=True, default="", max_length=500),
        ),
        migrations.AddField(
            model_name="project",
            name="catalogue_version",
            field=models.BigIntegerField(default=0),
        ),
    ]
