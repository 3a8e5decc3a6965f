"""The short tour of the console: by itself until somebody has ended it once, and again from the user menu."""

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from laaffic_console.dashboard.models import TourTaken
from laaffic_console.kit.words.people import signed_in

ASKED = "tour"  # in the front page's address


def is_due(request: HttpRequest) -> bool:
    return ASKED in request.GET or not _has_ended(signed_in(request))


def _has_ended(user: User) -> bool:
    return TourTaken.objects.filter(user=user).exists()


def view(request: HttpRequest) -> HttpResponse:
    """GET begins it again; POST says that it was ended, by this person on whatever machine."""
    if request.method == "POST":
        TourTaken.objects.get_or_create(user=signed_in(request))
        return HttpResponseRedirect(reverse("admin:index"))
    return HttpResponseRedirect(f"{reverse('admin:index')}?{ASKED}=1")
