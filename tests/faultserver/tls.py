"""The TLS listeners: a good one, and one for each way in which a certificate can be bad.

The certificates are made at start in the given directory. `ca.pem` makes a client trust the good
ones; `client.pem` and `client.key` admit it to https_client_cert. The same files of another
authority are in `next/`: the listener https_rotating starts like https_client_cert and changes to
them on request (control.py).
"""

import datetime
import ipaddress
import os
import ssl
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)
NO_USAGE = dict.fromkeys(
    (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
        "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    ),
    False,
)
LOCAL_NAMES = [
    x509.DNSName("localhost"),
    x509.DNSName("auth.test"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
]


@dataclass(frozen=True)
class Listener:
    """A row of the table. `verdict` is for a client that trusts ca.pem and has no certificate."""

    name: str
    does: str
    verdict: str
    names: tuple = tuple(LOCAL_NAMES)
    valid_days: tuple = (-1, 30)  # from, to; relative to today
    self_signed: bool = False
    asks_for_certificate: bool = False


LISTENERS = [
    Listener("https", "a valid certificate, issued by ca.pem for localhost, auth.test and 127.0.0.1", "valid"),
    Listener(
        "https_wrong_name",
        "a certificate issued by ca.pem for other.invalid",
        "unavailable",
        names=(x509.DNSName("other.invalid"),),
    ),
    Listener(
        "https_expired",
        "a certificate issued by ca.pem that expired yesterday",
        "unavailable",
        valid_days=(-30, -1),
    ),
    Listener(
        "https_not_yet_valid",
        "a certificate issued by ca.pem that is valid from tomorrow on",
        "unavailable",
        valid_days=(1, 30),
    ),
    Listener(
        "https_self_signed",
        "a self-signed certificate with the right names",
        "unavailable",
        self_signed=True,
    ),
    Listener(
        "https_client_cert",
        "as https, but requires a client certificate (client.pem, client.key)",
        "unavailable",
        asks_for_certificate=True,
    ),
    Listener(
        "https_rotating",
        "as https_client_cert; POST /_rotate switches to another authority (next/)",
        "unavailable",
        asks_for_certificate=True,
    ),
]


class Issuer:
    """A key and a name that sign certificates into a directory."""

    def __init__(self, directory, common_name):
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = self._subject(common_name)

    @staticmethod
    def _subject(common_name):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])

    def _build(self, subject, key, days, names, is_ca):
        now = datetime.datetime.utcnow()
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + days[0] * DAY)
            .not_valid_after(now + days[1] * DAY)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        )
        # What OpenSSL asks for in its strict mode, which is Python's default since 3.13.
        usage = {"digital_signature": not is_ca, "key_cert_sign": is_ca, "crl_sign": is_ca}
        builder = (
            builder.add_extension(x509.KeyUsage(**{**NO_USAGE, **usage}), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def write_own(self, file_name, names=(), is_ca=True, days=(-1, 30)):
        """Writes the self-signed certificate and, unless it is a CA's, its key."""
        certificate = self._build(self._name, self._key, days, names, is_ca)
        self._write(file_name, certificate, None if is_ca else self._key)

    def write_leaf(self, file_name, common_name, names=(), days=(-1, 30)):
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._build(self._subject(common_name), key, days, names, False)
        self._write(file_name, certificate, key)

    def _write(self, file_name, certificate, key):
        path = os.path.join(self._directory, file_name)
        with open(path + ".pem", "wb") as out:
            out.write(certificate.public_bytes(serialization.Encoding.PEM))
        if key is None:
            return
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        fd = os.open(path + ".key", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "wb") as out:
            out.write(pem)


def make_authority(directory, common_name):
    os.makedirs(directory, mode=0o700, exist_ok=True)
    authority = Issuer(directory, common_name)
    authority.write_own("ca")
    authority.write_leaf("client", "a client")
    return authority


def make_contexts(directory):
    """Makes all certificates; returns {listener name: ssl.SSLContext}."""
    authority = make_authority(directory, "fault server CA")
    following = make_authority(os.path.join(directory, "next"), "the next fault server CA")
    following.write_leaf("https_rotating", "localhost", LOCAL_NAMES)
    contexts = {}
    for listener in LISTENERS:
        if listener.self_signed:
            own = Issuer(directory, "localhost")
            own.write_own(listener.name, listener.names, is_ca=False, days=listener.valid_days)
        else:
            names, days = listener.names, listener.valid_days
            authority.write_leaf(listener.name, names[0].value, names, days)
        contexts[listener.name] = _context(directory, listener)
    return contexts


def _context(directory, listener):
    if listener.asks_for_certificate:
        return mutual_context(directory, listener.name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    path = os.path.join(directory, listener.name)
    context.load_cert_chain(path + ".pem", path + ".key")
    return context


def mutual_context(directory, name, server="", clients=("",)):
    """With the certificate `name` in the directory `server`, for clients of the authorities in
    those directories."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    path = os.path.join(directory, server, name)
    context.load_cert_chain(path + ".pem", path + ".key")
    # asyncio drops the alert of a failed handshake; only with TLS 1.2 does a client still notice.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    for folder in clients:
        context.load_verify_locations(os.path.join(directory, folder, "ca.pem"))
    return context
