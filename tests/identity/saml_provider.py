"""A provider that speaks SAML, made for a test: it signs with its own key and can lie in each way that matters."""

import base64
import datetime as dt
import zlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.utils import timezone
from lxml import etree
from onelogin.saml2.utils import OneLogin_Saml2_Utils

ENTITY = "https://id.example.com/saml"
PLACE = "https://id.example.com/saml/ask"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
SHA1 = ("http://www.w3.org/2000/09/xmldsig#rsa-sha1", "http://www.w3.org/2000/09/xmldsig#sha1")
SHA256 = ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2001/04/xmlenc#sha256")


@dataclass
class Key:
    private: str
    certificate: str


def new_key() -> Key:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "id.example.com")])
    today = timezone.now()
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, today, today + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Key(private.decode(), made.decode())


@dataclass
class Said:
    """What an answer says, where a test wants it other than right."""

    person: str = "s-ben"
    attributes: dict[str, list[str]] = field(
        default_factory=lambda: {
            "uid": ["ben"],
            "email": ["ben@example.com"],
            "groups": ["support", "knitting"],
        }
    )
    issuer: str = ENTITY
    audience: str = "http://127.0.0.1:8000/account/saml/metadata/"
    recipient: str = "http://127.0.0.1:8000/account/saml/"
    destination: str = "http://127.0.0.1:8000/account/saml/"
    format: str = PERSISTENT
    status: str = "Success"
    minutes: float = 5  # for which it is good
    authenticated: dt.timedelta = dt.timedelta()  # before now
    confirmed: str | None = None  # the question that the assertion itself names; None: that of the envelope
    sign: str = "assertion"
    algorithms: tuple[str, str] = SHA256


def metadata(key: Key, entity: str = ENTITY, place: str = PLACE) -> str:
    certificate = "".join(key.certificate.splitlines()[1:-1])
    return f"""<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity}">
      <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
        <md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
          <ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>
        </md:KeyDescriptor>
        <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{place}"/>
      </md:IDPSSODescriptor></md:EntityDescriptor>"""


def question_of(address: str) -> Any:
    packed = parse_qs(urlsplit(address).query)["SAMLRequest"][0]
    return etree.fromstring(zlib.decompress(base64.b64decode(packed), -15))


def answer_to(question: str, key: Key, said: Said) -> str:
    """As it is posted."""
    document = _signed(_written(question, said), key, said) if said.sign else _written(question, said)
    return base64.b64encode(document.encode()).decode()


def _signed(document: str, key: Key, said: Said) -> str:
    if said.sign == "response":
        return _with_signature(document, key, said)
    begin, end = document.index("<saml:Assertion"), document.index("</samlp:Response>")
    return document[:begin] + _with_signature(document[begin:end], key, said) + document[end:]


def _with_signature(text: str, key: Key, said: Said) -> str:
    signed = OneLogin_Saml2_Utils.add_sign(
        text, key.private, key.certificate, sign_algorithm=said.algorithms[0], digest_algorithm=said.algorithms[1]
    )
    return str(signed.decode() if isinstance(signed, bytes) else signed)


def _written(question: str, said: Said) -> str:
    now = timezone.now()
    end = _moment(now + dt.timedelta(minutes=said.minutes))
    begin = _moment(now - dt.timedelta(minutes=10 + abs(said.minutes)))
    confirmed = question if said.confirmed is None else said.confirmed
    answers, recipient = _named("InResponseTo", confirmed), _named("Recipient", said.recipient)
    audience = f"<saml:AudienceRestriction><saml:Audience>{said.audience}</saml:Audience></saml:AudienceRestriction>"
    return (
        '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" '
        'xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_answer" Version="2.0" '
        f'IssueInstant="{_moment(now)}" Destination="{said.destination}"{_named("InResponseTo", question)}>'
        f"<saml:Issuer>{said.issuer}</saml:Issuer><samlp:Status>"
        f'<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:{said.status}"/></samlp:Status>'
        '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_assertion" Version="2.0" '
        f'IssueInstant="{_moment(now)}"><saml:Issuer>{said.issuer}</saml:Issuer>'
        f'<saml:Subject><saml:NameID Format="{said.format}">{said.person}</saml:NameID>'
        '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">'
        f'<saml:SubjectConfirmationData NotOnOrAfter="{end}"{recipient}{answers}/></saml:SubjectConfirmation>'
        f'</saml:Subject><saml:Conditions NotBefore="{begin}" NotOnOrAfter="{end}">'
        f"{audience if said.audience else ''}</saml:Conditions>"
        f'<saml:AuthnStatement AuthnInstant="{_moment(now - said.authenticated)}"><saml:AuthnContext>'
        "<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef>"
        f"</saml:AuthnContext></saml:AuthnStatement>{_attributes(said.attributes)}</saml:Assertion></samlp:Response>"
    )


def _attributes(attributes: dict[str, list[str]]) -> str:
    found = [
        f'<saml:Attribute Name="{name}">'
        + "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in values)
        + "</saml:Attribute>"
        for name, values in attributes.items()
    ]
    return f"<saml:AttributeStatement>{''.join(found)}</saml:AttributeStatement>" if found else ""


def _named(name: str, value: str) -> str:
    return f' {name}="{value}"' if value else ""


def _moment(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
