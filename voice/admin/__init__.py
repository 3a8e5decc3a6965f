from voice.admin import audio, calls, phones, records

__all__ = ["audio", "calls", "phones", "records"]
