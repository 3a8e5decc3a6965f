from django.conf import settings
from django.db import models


class ChosenLanguage(models.Model):
    """The language in which somebody reads the console, on whatever machine."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    code = models.CharField(max_length=10)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.code
