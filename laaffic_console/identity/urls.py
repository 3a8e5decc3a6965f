"""Those of allauth's addresses that are needed, under allauth's own names."""

from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.generic import RedirectView

from laaffic_console.identity import asked_again_pages, own_sign_in_pages, providers, sign_in_pages

OIDC = {"provider_id": providers.OIDC}

urlpatterns = [
    path("", own_sign_in_pages.MySignInView.as_view(), name="mfa_index"),
    path("profile/", own_sign_in_pages.ProfileView.as_view(), name="own_profile"),
    path("sign-in/", RedirectView.as_view(pattern_name="admin:login", query_string=True), name="account_login"),
    path("second-factor/", sign_in_pages.SecondStepView.as_view(), name="mfa_authenticate"),
    path("second-factor/leave/", sign_in_pages.leave, name="account_logout"),
    path("provider/", sign_in_pages.provider_login, OIDC, name="openid_connect_login"),
    path("provider/callback/", sign_in_pages.provider_callback, OIDC, name="openid_connect_callback"),
    path("saml/", sign_in_pages.saml_answer, name="saml_answer"),
    path("saml/login/", sign_in_pages.saml_login, name="saml_login"),
    path("saml/finish/", sign_in_pages.saml_finish, name="saml_finish"),
    path("saml/metadata/", sign_in_pages.saml_metadata, name="saml_metadata"),
    path("app/", own_sign_in_pages.AppView.as_view(), name="mfa_activate_totp"),
    path("app/remove/", own_sign_in_pages.AppGoneView.as_view(), name="mfa_deactivate_totp"),
    path("recovery-codes/", own_sign_in_pages.RecoveryCodesView.as_view(), name="mfa_view_recovery_codes"),
    path("recovery-codes/new/", own_sign_in_pages.NewRecoveryCodesView.as_view(), name="mfa_generate_recovery_codes"),
    path("passkeys/", RedirectView.as_view(pattern_name="mfa_index"), name="mfa_list_webauthn"),
    path("passkeys/new/", own_sign_in_pages.PasskeyView.as_view(), name="mfa_add_webauthn"),
    path("passkeys/<int:pk>/remove/", own_sign_in_pages.PasskeyGoneView.as_view(), name="mfa_remove_webauthn"),
    path("again/", asked_again_pages.PasswordAgainView.as_view(), name="account_reauthenticate"),
    path("again/code/", asked_again_pages.CodeAgainInFrameView.as_view(), name="mfa_reauthenticate"),
    path("again/passkey/", asked_again_pages.PasskeyAgainView.as_view(), name="mfa_reauthenticate_webauthn"),
    path("invitation/<uidb64>/<token>/", sign_in_pages.InvitationView.as_view(), name="invitation"),
    path("sessions/<int:pk>/end/", own_sign_in_pages.end_session, name="end_session"),
    path("sessions/end-others/", own_sign_in_pages.end_other_sessions, name="end_other_sessions"),
]

# Secrets, codes and sessions: nothing of it stays in a browser's cache.
for one in urlpatterns:
    one.callback = never_cache(one.callback)
