"""Of allauth's addresses, those that are needed, under allauth's own names."""

from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.generic import RedirectView

from laaffic_console.identity import providers, views

OIDC = {"provider_id": providers.OIDC}

urlpatterns = [
    path("", views.MySignInView.as_view(), name="mfa_index"),
    path("profile/", views.ProfileView.as_view(), name="own_profile"),
    path("sign-in/", RedirectView.as_view(pattern_name="admin:login", query_string=True), name="account_login"),
    path("second-factor/", views.SecondStepView.as_view(), name="mfa_authenticate"),
    path("second-factor/leave/", views.leave, name="account_logout"),
    path("provider/", views.provider_login, OIDC, name="openid_connect_login"),
    path("provider/callback/", views.provider_callback, OIDC, name="openid_connect_callback"),
    path("saml/", views.saml_answer, name="saml_answer"),
    path("saml/login/", views.saml_login, name="saml_login"),
    path("saml/finish/", views.saml_finish, name="saml_finish"),
    path("saml/metadata/", views.saml_metadata, name="saml_metadata"),
    path("app/", views.AppView.as_view(), name="mfa_activate_totp"),
    path("app/remove/", views.AppGoneView.as_view(), name="mfa_deactivate_totp"),
    path("recovery-codes/", views.RecoveryCodesView.as_view(), name="mfa_view_recovery_codes"),
    path("recovery-codes/new/", views.NewRecoveryCodesView.as_view(), name="mfa_generate_recovery_codes"),
    path("passkeys/", RedirectView.as_view(pattern_name="mfa_index"), name="mfa_list_webauthn"),
    path("passkeys/new/", views.PasskeyView.as_view(), name="mfa_add_webauthn"),
    path("passkeys/<int:pk>/remove/", views.PasskeyGoneView.as_view(), name="mfa_remove_webauthn"),
    path("again/", views.PasswordAgainView.as_view(), name="account_reauthenticate"),
    path("again/code/", views.CodeAgainInFrameView.as_view(), name="mfa_reauthenticate"),
    path("again/passkey/", views.PasskeyAgainView.as_view(), name="mfa_reauthenticate_webauthn"),
    path("invitation/<uidb64>/<token>/", views.InvitationView.as_view(), name="invitation"),
    path("sessions/<int:pk>/end/", views.end_session, name="end_session"),
    path("sessions/end-others/", views.end_other_sessions, name="end_other_sessions"),
]

# Secrets, codes and sessions: nothing of it stays in a browser's cache.
for one in urlpatterns:
    one.callback = never_cache(one.callback)
