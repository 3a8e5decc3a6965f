from django.apps import AppConfig


class VoiceConfig(AppConfig):
    name = "voice"
    label = "voice"
    verbose_name = "Voice"
