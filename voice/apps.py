from django.apps import AppConfig


class VoiceConfig(AppConfig):
    name = "voice"
    label = "voice"
    verbose_name = "Voice"

    def ready(self) -> None:
        from messaging.services import channels
        from voice.services.tts_channel import TtsChannel

        channels.register(TtsChannel())
