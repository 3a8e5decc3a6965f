"""Why somebody is not signed in, in the console's own words: they do not tell which accounts there are."""

from django.utils.translation import gettext_lazy as _
from unfold.forms import AuthenticationForm

WRONG = _("User name or password is wrong. Check capital and small letters.")


class SignInForm(AuthenticationForm):
    error_messages = {"invalid_login": WRONG, "inactive": WRONG}
