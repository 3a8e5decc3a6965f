import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('messaging', '0007_campaign_account_hold'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='MmsCampaign',
            fields=[
            ],
            options={
                'verbose_name': 'MMS campaign',
                'verbose_name_plural': 'MMS campaigns',
                'proxy': True,
                'default_permissions': (),
                'indexes': [],
                'constraints': [],
            },
            bases=('messaging.campaign',),
        ),
        migrations.CreateModel(
            name='MmsAttachment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120, verbose_name='name')),
                ('file_type', models.CharField(choices=[('png', 'PNG picture'), ('jpg', 'JPEG picture'), ('jpeg', 'JPEG picture'), ('bmp', 'BMP picture'), ('gif', 'GIF picture'), ('webp', 'WebP picture'), ('psd', 'Photoshop picture'), ('svg', 'SVG drawing'), ('tiff', 'TIFF picture'), ('mp3', 'MP3 audio'), ('wav', 'WAV audio'), ('txt', 'text'), ('vcf', 'vCard')], max_length=4, verbose_name='type')),
                ('content', models.BinaryField(verbose_name='content')),
                ('size', models.PositiveIntegerField(verbose_name='size')),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('width', models.PositiveIntegerField(null=True, verbose_name='width')),
                ('height', models.PositiveIntegerField(null=True, verbose_name='height')),
                ('seconds', models.FloatField(null=True, verbose_name='length')),
                ('thumbnail', models.BinaryField(default=bytes)),
                ('note', models.CharField(blank=True, max_length=200, verbose_name='note')),
                ('gateway_id', models.CharField(blank=True, max_length=120, verbose_name="Laaffic's id")),
                ('uploaded_at', models.DateTimeField(null=True, verbose_name='uploaded')),
                ('lapses_at', models.DateTimeField(null=True, verbose_name='id lapses')),
                ('is_archived', models.BooleanField(default=False, help_text='No longer offered for new campaigns; nothing is deleted.', verbose_name='archived')),
                ('used_at', models.DateTimeField(null=True, verbose_name='last used')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='added')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
            ],
            options={
                'verbose_name': 'MMS attachment',
                'verbose_name_plural': 'MMS attachments',
                'ordering': ['-id'],
                'permissions': [('upload_mmsattachment', 'Can upload MMS attachments to Laaffic')],
            },
        ),
    ]
