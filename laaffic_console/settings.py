"""Settings of the console. Every value that differs between installations comes from the environment or `.env`."""

import datetime as dt
from importlib.util import find_spec

from csp.constants import NONCE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.urls import reverse_lazy

from laaffic_console import conf, environment
from laaffic_console.conf import PACKAGE_DIR, VAR_DIR
from laaffic_console.dashboard import theme
from laaffic_console.kit.files import private_files

SECRET_KEY = conf.secret_key()
SECRET_KEY_IS_OWN = not environment.exact("SECRET_KEY")
DOSSIER_KEY = conf.dossier_key()  # the private key that dossiers are signed with
DEBUG = environment.switch("DEBUG")
ALLOWED_HOSTS = environment.listed("ALLOWED_HOSTS", "localhost", "127.0.0.1", "[::1]")
CSRF_TRUSTED_ORIGINS = environment.origins("CSRF_TRUSTED_ORIGINS")
CONSOLE_URL = environment.address("CONSOLE_URL", "http://127.0.0.1:8000").rstrip("/")
REDIS_URL = environment.address("REDIS_URL", is_secret=True, example="redis://127.0.0.1:6379/0")

# A larger number is a slip of the hand, and would overflow a moment or a column.
MANY = 1_000_000_000
LONGEST_PAUSE = 1_000_000  # minutes between two readings of a list

LAAFFIC_BASE_URL = environment.address("LAAFFIC_BASE_URL", "https://api.laaffic.com/v3")
LAAFFIC_PATHS = environment.pairs("LAAFFIC_PATHS", "sms=/sms, account=/sms", may_be_empty=True)
# Whether group calls name their numbers in numberInfoList, as the newer pages have it, instead of numberList.
LAAFFIC_NUMBER_INFO_LIST = environment.switch("LAAFFIC_NUMBER_INFO_LIST")
LAAFFIC_API_KEY = environment.text("LAAFFIC_API_KEY")
LAAFFIC_API_SECRET = environment.text("LAAFFIC_API_SECRET")
LAAFFIC_TIME_ZONE = environment.text("LAAFFIC_TIME_ZONE", "Asia/Shanghai")
LAAFFIC_PUSH_TOKENS = conf.push_tokens()
LAAFFIC_PUSH_SOURCES = environment.listed("LAAFFIC_PUSH_SOURCES")
# Addresses of our own reverse proxies: from these alone X-Forwarded-For is believed, for the list above.
TRUSTED_PROXIES = environment.listed("TRUSTED_PROXIES")
# Where the web server listens, which reads it by itself (web_server.py).
CONSOLE_BIND = environment.text("CONSOLE_BIND")
LAAFFIC_ORDER_PREFIX = environment.text("LAAFFIC_ORDER_PREFIX", "lc")
LAAFFIC_TIMEOUTS = environment.laaffic_timeouts()
# After so many seconds the process of a single act has died: its answer is no longer expected.
LAAFFIC_LOST_AFTER_SECONDS = max(120.0, sum(LAAFFIC_TIMEOUTS) + 30)
# A request of the API that has not been answered by then has died; a caller that repeats it takes over.
API_LOST_AFTER_SECONDS = 60.0
# How far the gateway's clock may be from ours, and late with what it accepted, before its records prove anything.
LAAFFIC_CLOCK_SLACK_SECONDS = environment.number("LAAFFIC_CLOCK_SLACK_SECONDS", 120.0, most=86_400)
# At most what one POST of sendSms may carry (laaffic-api#sendsms).
LAAFFIC_RECIPIENTS_PER_CALL = environment.whole("LAAFFIC_RECIPIENTS_PER_CALL", 1000, least=1, most=1000)
# A worker that died is followed by another when its leases run out; one whose tasks are silent is restarted.
# With less, work of a batch takes longer than its lease, and a beat comes later than it is waited for.
LAAFFIC_LEASE_SECONDS = environment.number("LAAFFIC_LEASE_SECONDS", 20.0, least=5, most=3600)
LAAFFIC_WORKER_STALE_SECONDS = environment.number("LAAFFIC_WORKER_STALE_SECONDS", 30.0, least=10, most=3600)
# The balance under which the front page warns; 0 never. Asked for every so many minutes.
LAAFFIC_BALANCE_ALERT = conf.amount("LAAFFIC_BALANCE_ALERT")
LAAFFIC_BALANCE_CURRENCY = environment.text("LAAFFIC_BALANCE_CURRENCY")  # a label: getBalance tells none
LAAFFIC_BALANCE_MINUTES = environment.whole("LAAFFIC_BALANCE_MINUTES", 5, most=LONGEST_PAUSE)

# /metrics may be read with this token, or from one of these networks. Without either it is off.
LAAFFIC_METRICS_TOKEN = conf.token("LAAFFIC_METRICS_TOKEN")
LAAFFIC_METRICS_SOURCES = conf.networks("LAAFFIC_METRICS_SOURCES")

PUSH_MAX_BYTES = environment.whole("LAAFFIC_PUSH_MAX_BYTES", 5 * 1024 * 1024, most=1024**3)
IMPORT_MAX_BYTES = environment.whole("IMPORT_MAX_MEGABYTES", 500, least=1, most=100_000) * 1024 * 1024
# How long the file of an export is kept for download.
EXPORT_KEPT = dt.timedelta(days=environment.number("LAAFFIC_EXPORT_DAYS", 7.0, most=36_500))
# A report that has not come after this long is not waited for; a later one still counts.
REPORT_WINDOW_HOURS = environment.whole("LAAFFIC_REPORT_WINDOW_HOURS", 72, most=876_000)
# Whether a pushed delivery report counts only when getReport says the same: nothing proves where a push comes from.
LAAFFIC_CONFIRM_REPORTS = environment.switch("LAAFFIC_CONFIRM_REPORTS")
# A campaign is held when so many of its recipients were rejected (0: never), or when it starts so many minutes late.
LAAFFIC_ERROR_LIMIT = environment.whole("LAAFFIC_ERROR_LIMIT", 10_000, most=MANY)
# So many lost answers in a row hold a campaign (0: never), and so many campaigns held by it the account (0: never).
LAAFFIC_LOST_ANSWERS = environment.whole("LAAFFIC_LOST_ANSWERS", 5, most=MANY)
LAAFFIC_LOST_ANSWERS_CAMPAIGNS = environment.whole("LAAFFIC_LOST_ANSWERS_CAMPAIGNS", 2, most=MANY)
LAAFFIC_LATEST_START_MINUTES = environment.whole("LAAFFIC_LATEST_START_MINUTES", 60, most=525_600)
# A launch to more recipients, or at a higher cost, needs a second person's approval; 0 never. The cost is one amount
# for every currency, or one for each ("USD 1000, EUR 900"); what several currencies use of theirs is added up.
LAAFFIC_APPROVAL_RECIPIENTS = environment.whole("LAAFFIC_APPROVAL_RECIPIENTS", 0, most=MANY)
LAAFFIC_APPROVAL_COST = conf.limits("LAAFFIC_APPROVAL_COST")
# So many messages a person gets at most in 24 hours and in 7 days, over all campaigns of a channel; 0: no limit. An
# application may differ (its frequency cap), and no transactional campaign is stopped.
LAAFFIC_FREQUENCY_CAP_DAY = environment.whole("LAAFFIC_FREQUENCY_CAP_DAY", 0, most=10_000)
LAAFFIC_FREQUENCY_CAP_WEEK = environment.whole("LAAFFIC_FREQUENCY_CAP_WEEK", 0, most=10_000)
# A marketing campaign goes only to people whose consent for its channel is given.
LAAFFIC_MARKETING_NEEDS_CONSENT = environment.switch("LAAFFIC_MARKETING_NEEDS_CONSENT")
# Segments or prices that reports bill and that differ by so many percent from what was expected are told; 0 never.
LAAFFIC_DRIFT_PERCENT = environment.number("LAAFFIC_DRIFT_PERCENT", 10.0, most=10_000)
# After the button a campaign waits so long, and can be taken back: nothing has left. 0 launches at once.
LAAFFIC_UNDO_SECONDS = environment.number("LAAFFIC_UNDO_SECONDS", 5.0, most=60)

# How often bindings, pools and owned numbers are read from Laaffic again.
NUMBERS_GRACE_SECONDS = 60.0  # a request may be on its way at Laaffic for so long
NUMBERS_SYNC_MINUTES = environment.whole("NUMBERS_SYNC_MINUTES", 5, most=LONGEST_PAUSE)
# How often SIP phones and call records are read from Laaffic again, and the largest audio file.
VOICE_SYNC_MINUTES = environment.whole("VOICE_SYNC_MINUTES", 5, most=LONGEST_PAUSE)
AUDIO_MAX_BYTES = environment.whole("AUDIO_MAX_MEGABYTES", 5, least=1, most=1000) * 1024 * 1024
# Entries about who did what are removed when they are older; 0: never.
LAAFFIC_AUDIT_DAYS = environment.whole("LAAFFIC_AUDIT_DAYS", 730, most=36_500)
# Pushed bodies, as they came, are removed when they are older and were wholly applied; 0: never.
LAAFFIC_INBOX_DAYS = environment.whole("LAAFFIC_INBOX_DAYS", 730, most=36_500)
# How often replies are asked for, beside those that are pushed.
REPLY_PULL_MINUTES = environment.whole("REPLY_PULL_MINUTES", 5, most=LONGEST_PAUSE)
# A reply that is one of these and nothing else puts its number on the suppression list.
OPT_OUT_WORDS = conf.opt_out_words()
# A reply that is one of these and nothing else gives consent, and takes back what STOP did.
OPT_IN_WORDS = conf.opt_in_words()
# START asks back by a message, and consent is given by a yes to it alone: one of these words by itself.
LAAFFIC_DOUBLE_OPT_IN = environment.switch("LAAFFIC_DOUBLE_OPT_IN")
LAAFFIC_DOUBLE_OPT_IN_TEXT = environment.text(
    "LAAFFIC_DOUBLE_OPT_IN_TEXT", "Do you want our news? Reply YES. Without an answer you get none."
)
OPT_IN_CONFIRM_WORDS = conf.opt_in_confirm_words()
# One STOP holds on every channel that reaches a number, not on SMS and MMS alone.
OPT_OUT_EVERY_CHANNEL = environment.switch("OPT_OUT_EVERY_CHANNEL")

# Networks of ours that webhooks may reach beside the internet, also without TLS, such as 10.1.2.0/24.
WEBHOOKS_MAY_REACH = conf.networks("WEBHOOKS_MAY_REACH")
# One that takes nothing for so many days is disabled; events and the log of their deliveries are kept for so many.
WEBHOOKS_DISABLE_AFTER = dt.timedelta(days=environment.number("WEBHOOKS_DISABLE_DAYS", 3.0, most=36_500))
WEBHOOKS_KEPT = dt.timedelta(days=environment.number("WEBHOOKS_KEPT_DAYS", 30.0, most=36_500))

# Notices are kept for so many days; past so many an hour one person gets one row that counts the rest.
NOTICES_KEPT = dt.timedelta(days=environment.number("NOTICES_KEPT_DAYS", 60.0, most=36_500))
NOTICES_AN_HOUR = environment.whole("NOTICES_AN_HOUR", 20, least=1, most=MANY)

# The mail server by which reports, notices and invitations are sent; nothing else of the console sends email by it.
EMAIL = conf.email_server()
EMAIL_IS_SET = bool(EMAIL)
EMAIL_BACKEND = EMAIL.get("EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend")
EMAIL_HOST = EMAIL.get("EMAIL_HOST") or ""
EMAIL_PORT = EMAIL.get("EMAIL_PORT") or (
    465 if EMAIL.get("EMAIL_USE_SSL") else 587 if EMAIL.get("EMAIL_USE_TLS") else 25
)
EMAIL_HOST_USER = EMAIL.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = EMAIL.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = bool(EMAIL.get("EMAIL_USE_TLS"))
EMAIL_USE_SSL = bool(EMAIL.get("EMAIL_USE_SSL"))
EMAIL_FILE_PATH = EMAIL.get("EMAIL_FILE_PATH") or None
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = environment.text("EMAIL_FROM")

# A gateway to try things on, and an installation under fire: `laaffic-console[sandbox]` has them, a server has not.
FOR_TRYING = ["laaffic_console.sandbox", "laaffic_console.rehearsal"]
CAN_TRY = all(find_spec(library) is not None for library in ("aiohttp", "psutil"))

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "laaffic_console.dashboard.site.ConsoleAdmin",
    "laaffic_console.identity.superusers",  # before auth, whose command it takes the place of
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.socialaccount.providers.saml",
    "allauth.usersessions",
    "laaffic_console.identity",  # behind those whose pages it takes away
    "axes",
    "csp",
    "django_q",
    "import_export",
    "laaffic_console.audit",
    "laaffic_console.gateway",
    "laaffic_console.events",
    "laaffic_console.notices",
    "laaffic_console.exporting",
    "laaffic_console.reports",
    "laaffic_console.api",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    *(FOR_TRYING if CAN_TRY else []),
    "laaffic_console.backups",
    "laaffic_console.handbook",
    "laaffic_console.dashboard",
    "messaging",
    "voice",
    "phone_numbers",
]

MIDDLEWARE = [
    "laaffic_console.kit.process.json_logs.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "laaffic_console.dashboard.chosen_language.LanguageMiddleware",
    "laaffic_console.dashboard.health.any_host.HostMiddleware",
    "laaffic_console.dashboard.half_restored.HalfRestoredMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "laaffic_console.dashboard.acting.ActorMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "laaffic_console.kit.files.uploads.FullDiskMiddleware",
    "laaffic_console.kit.forms.kept_forms.KeptFormMiddleware",
    "laaffic_console.kit.forms.odd_requests.OddRequestMiddleware",
    "laaffic_console.identity.gate.FactorMiddleware",
    "laaffic_console.dashboard.sent_once.SentOnceMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "laaffic_console.urls"
WSGI_APPLICATION = "laaffic_console.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
        },
    },
]

DATABASES = {"default": conf.database()}
DATABASE_HAS_POOLER = conf.has_pooler()
DATABASE_LOCK_SECONDS = conf.lock_seconds()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {
        "BACKEND": "laaffic_console.gateway.redis_cache.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"serializer": "laaffic_console.gateway.cache_json.JsonSerializer"},
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
Q_CLUSTER = conf.job_queue(REDIS_URL)

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
# So many wrong passwords for one account from one address, and so many from one address on the whole, stop the sign-in.
AXES_FAILURE_LIMIT = environment.whole("SIGN_IN_LIMIT", 5, least=1, most=MANY)
SIGN_IN_ADDRESS_LIMIT = environment.whole("SIGN_IN_ADDRESS_LIMIT", 50, least=1, most=MANY)
AXES_COOLOFF_TIME = dt.timedelta(minutes=environment.whole("SIGN_IN_LOCK_MINUTES", 15, least=1, most=525_600))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_HANDLER = "laaffic_console.identity.services.wrong_passwords.Throttle"
AXES_CLIENT_IP_CALLABLE = "laaffic_console.identity.services.wrong_passwords.address"
AXES_LOCKOUT_CALLABLE = "laaffic_console.identity.services.wrong_passwords.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False  # ours is read-only
AXES_VERBOSE = False

# Roles whose people need a second factor: Administrator, Operator …
SECOND_FACTOR_ROLES = environment.listed("SECOND_FACTOR_ROLES")
# Tokens, users, roles and big launches ask again who is there, unless it was proved so many minutes ago; 0: never.
LAAFFIC_REAUTHENTICATE_MINUTES = environment.number("LAAFFIC_REAUTHENTICATE_MINUTES", 15.0, most=525_600)
# Launches to more recipients ask it; 0: none does.
LAAFFIC_REAUTHENTICATE_OVER = environment.whole("LAAFFIC_REAUTHENTICATE_OVER", 0, most=MANY)

# A provider of the owner's, by which people sign in too.
OIDC_NAME = environment.text("OIDC_NAME", "OpenID Connect")
OIDC_ISSUER = environment.address("OIDC_ISSUER").rstrip("/")
OIDC_CLIENT_ID = environment.text("OIDC_CLIENT_ID")
OIDC_CLIENT_SECRET = environment.text("OIDC_CLIENT_SECRET")
OIDC_SCOPES = environment.listed("OIDC_SCOPES", "openid", "profile", "email")
OIDC_GROUPS_CLAIM = environment.text("OIDC_GROUPS_CLAIM", "groups")
OIDC_ROLES = environment.pairs("OIDC_ROLES", "console-admins=Administrator, support=Operator")
OIDC_MATCH_EMAIL = environment.switch("OIDC_MATCH_EMAIL")
# Another that speaks SAML: its metadata, an address or a file.
SAML_METADATA = conf.saml_metadata()
SAML_NAME = environment.text("SAML_NAME", "SAML")
SAML_ENTITY_ID = environment.text("SAML_ENTITY_ID")
SAML_CERTIFICATE = conf.certificate("SAML_CERTIFICATE")
SAML_ID_ATTRIBUTE = environment.text("SAML_ID_ATTRIBUTE")
SAML_USERNAME_ATTRIBUTE = environment.text("SAML_USERNAME_ATTRIBUTE")
SAML_EMAIL_ATTRIBUTE = environment.text("SAML_EMAIL_ATTRIBUTE")
SAML_GROUPS_ATTRIBUTE = environment.text("SAML_GROUPS_ATTRIBUTE", "groups")
SAML_ROLES = environment.pairs("SAML_ROLES", "console-admins=Administrator, support=Operator") or OIDC_ROLES
SAML_MATCH_EMAIL = environment.switch("SAML_MATCH_EMAIL")

ACCOUNT_ADAPTER = "laaffic_console.identity.adapters.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = False
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_RATE_LIMITS = {"login_failed": "10/5m/key"}  # for one account, from wherever; axes counts by address
ACCOUNT_REAUTHENTICATION_METHODS = ["password", "mfa", "socialaccount"]
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
MFA_ADAPTER = "laaffic_console.identity.adapters.FactorAdapter"
MFA_FORMS = {
    "authenticate": "laaffic_console.identity.pages.code_forms.CodeForm",
    "reauthenticate": "laaffic_console.identity.pages.code_forms.CodeAgainForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1  # a clock may be half a minute off
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = conf.is_this_machine(CONSOLE_URL)
SOCIALACCOUNT_ADAPTER = "laaffic_console.identity.services.admission.ProviderAdapter"
SOCIALACCOUNT_AUTO_SIGNUP = True
SOCIALACCOUNT_EMAIL_REQUIRED = False
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5
SOCIALACCOUNT_PROVIDERS = {
    **conf.oidc_provider(OIDC_NAME, OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_SCOPES),
    **conf.saml_provider(SAML_NAME, SAML_ID_ATTRIBUTE, SAML_USERNAME_ATTRIBUTE, SAML_EMAIL_ATTRIBUTE),
}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "laaffic_console.audit.sign_ins.RecordingPasswordValidator"},
]

# A language is offered when all its texts are there: scraps of one are worse than English. LANGUAGE_CODE is that of who
# has chosen none and whose browser asks for none.
LANGUAGES = conf.languages(PACKAGE_DIR / "locale")
LANGUAGE_CODE = conf.language_code(LANGUAGES)
LOCALE_PATHS = [PACKAGE_DIR / "locale", PACKAGE_DIR / "locale" / "unfold"]
FORMAT_MODULE_PATH = ["laaffic_console.formats"]
TIME_ZONE = environment.time_zone("TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [PACKAGE_DIR / "static"]
# Out of the packages themselves: a process serves the files of its own version while another is installed beside it.
WHITENOISE_USE_FINDERS = True
MEDIA_ROOT = VAR_DIR / "media"
# Uploaded contact lists wait under MEDIA_ROOT for a worker; nothing there is ever served by address.
FILE_UPLOAD_PERMISSIONS = private_files.FILE
FILE_UPLOAD_DIRECTORY_PERMISSIONS = private_files.FOLDER
# What is being uploaded lies in a folder of our own, which the sweep looks after.
FILE_UPLOAD_TEMP_DIR = VAR_DIR / "uploads"
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "laaffic_console.kit.files.uploads.PrivateUploadHandler",
]
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024  # a pasted list of 200,000 numbers

# Unfold's Alpine evaluates its expressions with Function(): unsafe-eval and inline styles, and nothing else.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "frame-ancestors": ["'none'"],
        "form-action": [SELF],
        "base-uri": [SELF],
        "object-src": ["'none'"],
    }
}

HTTPS = CONSOLE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = conf.session_cookie(CONSOLE_URL)
SESSION_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = environment.whole("SECURE_HSTS_SECONDS", 0, most=315_360_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = environment.switch("SECURE_HSTS_INCLUDE_SUBDOMAINS")
SECURE_HSTS_PRELOAD = environment.switch("SECURE_HSTS_PRELOAD")
SECURE_SSL_REDIRECT = environment.switch("SECURE_SSL_REDIRECT")
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # asked for on this machine, past the proxy
# Nothing here listens, films or pays.
PERMISSIONS_POLICY: dict[str, list[str]] = {
    name: []
    for name in (
        *("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer"),
        *("microphone", "midi", "payment", "usb"),
    )
}
X_FRAME_OPTIONS = "DENY"
if environment.switch("BEHIND_TLS_PROXY"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

UNFOLD = {**theme.UNFOLD, "SHOW_LANGUAGES": len(LANGUAGES) > 1}

# For the REST API alone: a token says who asks, and every answer is JSON.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["laaffic_console.api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["laaffic_console.api.authentication.MayDo"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["laaffic_console.api.handling.parsers.JsonParser"],
    "DEFAULT_METADATA_CLASS": None,
    "URL_FORMAT_OVERRIDE": None,  # an unknown format would be "not found"; unread_keys.py says what there is
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "laaffic_console.api.handling.problems.handled",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Laaffic console",
    "DESCRIPTION": "Campaigns, messages and contacts. How to use it: docs/api.md.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENFORCE_NON_BLANK_FIELDS": True,
    "COMPONENT_SPLIT_PATCH": False,  # what a PATCH takes has a shape of its own, with what it must say
    "POSTPROCESSING_HOOKS": ["laaffic_console.api.schema.with_problems"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "ENABLE_DJANGO_DEPLOY_CHECK": False,  # a test looks at the schema; the health page asks these checks each minute
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

CSRF_FAILURE_VIEW = "laaffic_console.kit.forms.kept_forms.csrf_failure"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")

private_files.make_folder(FILE_UPLOAD_TEMP_DIR)

LOG_FORMAT = environment.one_of("LOG_FORMAT", ("line", "json"))
LOG_LEVEL = environment.one_of("LOG_LEVEL", ("INFO", "DEBUG", "WARNING", "ERROR", "CRITICAL"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
        "json": {"()": "laaffic_console.kit.process.json_logs.JsonFormatter"},
    },
    "filters": {
        "push tokens": {"()": "laaffic_console.kit.masking.log_masks.MaskPushTokens"},
        "outages": {"()": "laaffic_console.kit.process.outage_logs.OutagesInOneLine"},
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["push tokens", "outages"]}
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    # urllib3 prints request lines at DEBUG; they hold numbers and contents.
    "loggers": {
        "urllib3": {"level": "WARNING"},
        "django-q": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
        "django.server": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}
