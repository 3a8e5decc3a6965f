"""What is kept of how somebody uses the pages: language, tour, forms that were sent, filters, columns."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class ChosenLanguage(models.Model):
    """The language in which somebody reads the console, on whatever machine."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    code = models.CharField(max_length=10)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.code


class FirstStepsPutAway(models.Model):
    """Somebody who wants to see the list of first steps no more."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.user)


class TourTaken(models.Model):
    """Somebody who has ended the tour, and sees it when they ask for it."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.user)


class SentForm(models.Model):
    """A form that was sent, so that sending it again makes nothing twice; gone after a day."""

    key = models.CharField(max_length=64, primary_key=True)
    led_to = models.CharField(max_length=500, blank=True)
    sent_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.led_to


class SavedFilter(models.Model):
    """What a list was asked for, under a name: its owner's, or everybody's who may see that list."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    list_of = models.CharField(max_length=80)  # a model's label: "messaging.message"
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=2000)  # what stands behind the ? of the list's address
    is_shared = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["owner", "list_of", "name"], name="saved_filter_once")]

    def __str__(self) -> str:
        return self.name


class HiddenColumns(models.Model):
    """Columns of a list that somebody does not want to see; what is hidden is kept, so that a new column shows."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    list_of = models.CharField(max_length=80)  # a model's label: "messaging.message"
    names = models.JSONField(default=list)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["owner", "list_of"], name="hidden_columns_once")]

    def __str__(self) -> str:
        return ", ".join(self.names)
