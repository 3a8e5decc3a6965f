"""Those of allauth's addresses that are needed, under allauth's own names."""

from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.generic import RedirectView

from laaffic_console.identity.pages import asked_again, own_sign_in, sign_in
from laaffic_console.identity.services import providers

OIDC = {"provider_id": providers.OIDC}

urlpatterns = [
    path("", own_sign_in.MySignInView.as_view(), name="mfa_index"),
    path("profile/", own_sign_in.ProfileView.as_view(), name="own_profile"),
    path("sign-in/", RedirectView.as_view(pattern_name="admin:login", query_string=True), name="account_login"),
    path("second-factor/", sign_in.SecondStepView.as_view(), name="mfa_authenticate"),
    path("second-factor/leave/", sign_in.leave, name="account_logout"),
    path("provider/", sign_in.provider_login, OIDC, name="openid_connect_login"),
    path("provider/callback/", sign_in.provider_callback, OIDC, name="openid_connect_callback"),
    path("saml/", sign_in.saml_answer, name="saml_answer"),
    path("saml/login/", sign_in.saml_login, name="saml_login"),
    path("saml/finish/", sign_in.saml_finish, name="saml_finish"),
    path("saml/metadata/", sign_in.saml_metadata, name="saml_metadata"),
    path("app/", own_sign_in.AppView.as_view(), name="mfa_activate_totp"),
    path("app/remove/", own_sign_in.AppGoneView.as_view(), name="mfa_deactivate_totp"),
    path("recovery-codes/", own_sign_in.RecoveryCodesView.as_view(), name="mfa_view_recovery_codes"),
    path("recovery-codes/new/", own_sign_in.NewRecoveryCodesView.as_view(), name="mfa_generate_recovery_codes"),
    path("passkeys/", RedirectView.as_view(pattern_name="mfa_index"), name="mfa_list_webauthn"),
    path("passkeys/new/", own_sign_in.PasskeyView.as_view(), name="mfa_add_webauthn"),
    path("passkeys/<int:pk>/remove/", own_sign_in.PasskeyGoneView.as_view(), name="mfa_remove_webauthn"),
    path("again/", asked_again.PasswordAgainView.as_view(), name="account_reauthenticate"),
    path("again/code/", asked_again.CodeAgainInFrameView.as_view(), name="mfa_reauthenticate"),
    path("again/passkey/", asked_again.PasskeyAgainView.as_view(), name="mfa_reauthenticate_webauthn"),
    path("invitation/<uidb64>/<token>/", sign_in.InvitationView.as_view(), name="invitation"),
    path("sessions/<int:pk>/end/", own_sign_in.end_session, name="end_session"),
    path("sessions/end-others/", own_sign_in.end_other_sessions, name="end_other_sessions"),
]

# Secrets, codes and sessions: nothing of it stays in a browser's cache.
for one in urlpatterns:
    one.callback = never_cache(one.callback)
