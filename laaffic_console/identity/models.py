"""What somebody says of themselves: their time zone and their own number."""

import re
import zoneinfo

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

_between = re.compile(r"[\s().-]+")
_international = re.compile(r"\+[1-9][0-9]{6,14}")


def check_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("“%(name)s” is not a time zone. Write one like Europe/Berlin.") % {"name": name})


class Profile(models.Model):
    """What somebody has said of themselves: the clock they go by, and the phone that their tests go to."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    time_zone = models.CharField(
        gettext_lazy("my time zone"),
        max_length=64,
        blank=True,
        validators=[check_zone],
        help_text=gettext_lazy("Like Europe/Berlin. Campaigns can then be planned by your own clock."),
    )
    number = models.CharField(
        gettext_lazy("my own number"),
        max_length=32,
        blank=True,
        help_text=gettext_lazy("With + and the country, like +91 98765 43210. “Test to me” sends to it."),
    )

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.user)

    def clean(self) -> None:
        self.number = _between.sub("", self.number)
        if self.number and not _international.fullmatch(self.number):
            said = _("Write the number with + and the country, like +91 98765 43210.")
            raise ValidationError({"number": said})


def profile_of(user: User | AnonymousUser) -> Profile:
    """The person's profile; a new one, not stored yet, for somebody who has said nothing."""
    if user.pk is None:
        return Profile()
    found: Profile | None = Profile.objects.filter(user=user.pk).first()
    return found or Profile(user_id=user.pk)
