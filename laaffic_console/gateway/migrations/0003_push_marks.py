from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('gateway', '0002_account_holds'),
    ]

    operations = [
        migrations.AddField(
            model_name='pushedbody',
            name='mark',
            field=models.CharField(blank=True, max_length=40, verbose_name='mark'),
        ),
    ]
