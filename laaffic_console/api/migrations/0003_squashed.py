import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import laaffic_console.api.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """The tables of this app as the migrations up to 0002_what_it_asked_laaffic_about leave them.

    dashboard.0007_squashed makes them in a new database.
    """

    dependencies = [("dashboard", "0007_squashed")]
    operations = []
    tables = [
        migrations.CreateModel(
            name='ApiToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='What uses it, such as “web shop”.', max_length=80, verbose_name='name')),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('scopes', models.JSONField(default=laaffic_console.api.models.every_scope, verbose_name='scopes')),
                ('addresses', models.JSONField(blank=True, default=list, verbose_name='addresses')),
                ('per_minute', models.PositiveIntegerField(default=6000, help_text='More than that are refused until the minute is over.', validators=[django.core.validators.MinValueValidator(1)], verbose_name='requests a minute')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('expires_at', models.DateTimeField(blank=True, null=True, verbose_name='expires')),
                ('revoked_at', models.DateTimeField(editable=False, null=True, verbose_name='revoked')),
                ('last_used_at', models.DateTimeField(editable=False, null=True, verbose_name='last used')),
                ('first', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='api.apitoken')),
                ('user', models.ForeignKey(help_text='It may do what this user may do, and nothing beyond its scopes.', on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='acts for')),
            ],
            options={
                'verbose_name': 'API token',
                'verbose_name_plural': 'API tokens',
                'ordering': ['-id'],
                'default_permissions': ('add', 'change', 'view'),
            },
        ),
        migrations.CreateModel(
            name='RepeatableRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('family', models.BigIntegerField()),
                ('key', models.CharField(max_length=255)),
                ('digest', models.CharField(max_length=64)),
                ('holder', models.CharField(blank=True, max_length=32)),
                ('held_until', models.DateTimeField(null=True)),
                ('status', models.PositiveSmallIntegerField(null=True)),
                ('answer', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ('about', models.BigIntegerField(null=True)),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('family', 'key'), name='api_key_once')],
            },
        ),
    ]
