from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('voice', '0022_whole_digits'),
    ]

    operations = [
        migrations.AddField(
            model_name='grouptask',
            name='numbers_digest',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=64),
        ),
    ]
