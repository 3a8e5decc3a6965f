"""Invitations: an account without a password, and a link by mail that sets it once, within three days."""

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _

from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.sql import database_troubles


class InvitationLinks(PasswordResetTokenGenerator):
    """Bound to the password, which is none yet, so a link is good until the first is set (PASSWORD_RESET_TIMEOUT)."""

    key_salt = "laaffic_console.identity.services.invitations"


links = InvitationLinks()


def problem() -> str:
    """Why nobody can be invited now, to be said before somebody types an address; "" where they can."""
    if settings.EMAIL_IS_SET:
        return ""
    return _(
        "The console has no mail server, so nobody can be invited. "
        "Add them as a new user with a password, or set EMAIL_URL and EMAIL_FROM."
    )


def invite(address: str, role: Group) -> User:
    """One whose mail cannot be sent leaves no account behind. A slow mail server keeps nobody from writing."""
    if said := problem():
        raise ValidationError(said)
    try:
        user = _add(address, role)
    except IntegrityError as taken:  # somebody else has invited them since we looked
        if not database_troubles.is_taken(taken):
            raise
        raise _has_account() from taken
    try:
        _send(user)
    except ValidationError as refusal:
        with transaction.atomic():
            record(Act.DELETED, user, event=" ".join(refusal.messages))
            user.delete()
        raise
    return user


def _add(address: str, role: Group) -> User:
    with transaction.atomic():
        if User.objects.filter(Q(username__iexact=address) | Q(email__iexact=address)).exists():
            raise _has_account()
        user = User.objects.create_user(address, email=address, is_staff=True)
        user.groups.add(role)
        record(Act.INVITED, user, role=role.name)
    return user


def _has_account() -> ValidationError:
    return ValidationError(_("There is an account with this address already."))


def is_disabled(user: User) -> bool:
    """The password of such an account opens nothing."""
    return not (user.is_active and user.is_staff)


def is_awaited(user: User) -> bool:
    """Whether somebody was invited and has no password yet. People of a provider have none either, and need none."""
    is_linked = SocialAccount.objects.filter(user=user).exists()
    return bool(user.email) and not user.has_usable_password() and not is_linked


def send_again(user: User) -> None:
    if said := problem():
        raise ValidationError(said)
    if is_disabled(user):
        raise ValidationError(_("Their account is disabled. Tick “Active” on their page first, then send it again."))
    if not is_awaited(user):
        raise ValidationError(_("They sign in already, by a password or a provider, and need no invitation."))
    with _links_ended(user):
        _send(user)
    record(Act.INVITED, user)


@contextmanager
def _links_ended(user: User) -> Iterator[None]:
    """End earlier links; where no new one can be sent, they still open the page."""
    before = user.password
    user.set_unusable_password()
    user.save(update_fields=["password"])
    try:
        yield
    except ValidationError:
        User.objects.filter(pk=user.pk, password=user.password).update(password=before)
        raise


def _send(user: User) -> None:
    said = _(
        "You are invited to the console at %(console)s. Your user name is %(name)s.\n\n"
        "Choose a password here, within three days:\n%(link)s\n\n"
        "If you do not know what this is about, do nothing."
    ) % {"console": settings.CONSOLE_URL, "name": user.get_username(), "link": link_of(user)}
    mail = EmailMessage(_("Your invitation to the console"), said, settings.DEFAULT_FROM_EMAIL, [user.email])
    try:
        mail.send()
    except (OSError, smtplib.SMTPException) as problem:
        raise ValidationError(
            _("The mail server did not take the invitation (%(problem)s). Nobody was invited.")
            % {"problem": type(problem).__name__}
        ) from problem


def link_of(user: User) -> str:
    place = [urlsafe_base64_encode(force_bytes(user.pk)), links.make_token(user)]
    return f"{settings.CONSOLE_URL}{reverse('invitation', args=place)}"
