

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notices', '0001_notices'),
    ]

    operations = [
        migrations.AlterField(
            model_name='choice',
            name='kind',
            field=models.CharField(choices=[('asked', 'An approval is asked for'), ('given', 'Your approval was given'), ('refused', 'Your approval was refused'), ('voided', 'Your approval is void after an edit'), ('withdrawn', 'A request for approval was withdrawn'), ('held', 'Your campaign is held'), ('finished', 'Your campaign has finished'), ('drift', 'Your campaign costs something else than was expected'), ('unknown', 'Messages or requests are unknown for an hour'), ('import', 'Your import is done'), ('balance', 'The balance is low'), ('budget', 'A budget is nearly or all used up'), ('worker', 'A worker is silent'), ('callbacks', 'No callbacks come'), ('webhook', 'A webhook was disabled'), ('more', 'More notices')], max_length=12),
        ),
        migrations.AlterField(
            model_name='notice',
            name='kind',
            field=models.CharField(choices=[('asked', 'An approval is asked for'), ('given', 'Your approval was given'), ('refused', 'Your approval was refused'), ('voided', 'Your approval is void after an edit'), ('withdrawn', 'A request for approval was withdrawn'), ('held', 'Your campaign is held'), ('finished', 'Your campaign has finished'), ('drift', 'Your campaign costs something else than was expected'), ('unknown', 'Messages or requests are unknown for an hour'), ('import', 'Your import is done'), ('balance', 'The balance is low'), ('budget', 'A budget is nearly or all used up'), ('worker', 'A worker is silent'), ('callbacks', 'No callbacks come'), ('webhook', 'A webhook was disabled'), ('more', 'More notices')], max_length=12, verbose_name='notice'),
        ),
        migrations.AlterField(
            model_name='waiting',
            name='kind',
            field=models.CharField(choices=[('asked', 'An approval is asked for'), ('given', 'Your approval was given'), ('refused', 'Your approval was refused'), ('voided', 'Your approval is void after an edit'), ('withdrawn', 'A request for approval was withdrawn'), ('held', 'Your campaign is held'), ('finished', 'Your campaign has finished'), ('drift', 'Your campaign costs something else than was expected'), ('unknown', 'Messages or requests are unknown for an hour'), ('import', 'Your import is done'), ('balance', 'The balance is low'), ('budget', 'A budget is nearly or all used up'), ('worker', 'A worker is silent'), ('callbacks', 'No callbacks come'), ('webhook', 'A webhook was disabled'), ('more', 'More notices')], max_length=12),
        ),
    ]
