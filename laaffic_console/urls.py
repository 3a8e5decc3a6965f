"""All addresses of the console."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("hooks/", include("laaffic_console.gateway.urls")),
    path("api/", include("laaffic_console.api.urls")),
    path("", include("laaffic_console.reports.urls")),
    path("", include("laaffic_console.notices.urls")),
    path("", include("laaffic_console.handbook.urls")),
    path("", include("laaffic_console.dashboard.urls")),
    path("account/", include("laaffic_console.identity.urls")),
    path("admin/", admin.site.urls),
]

handler500 = "laaffic_console.dashboard.views.server_error"
