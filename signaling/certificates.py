"""The local certificate authority, the server's certificate from it, and the DTLS identity of the media process."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from signaling.config import Tls
from signaling.secret_files import write_secret

AUTHORITY_DAYS = 3650
SERVER_DAYS = 397  # the most that browsers accept
RENEW_DAYS = 30
Names = frozenset[str]


@dataclass(frozen=True)
class ServerCertificate:
    """Files for the TLS listener; `authority` is None with a certificate of the operator's own."""

    chain: Path
    key: Path
    authority: Path | None

    def context(self) -> ssl.SSLContext:
        """A server context, TLS 1.2 and later."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.chain, self.key)
        return context


def server_certificate(folder: Path, tls: Tls, addresses: list[str], now: datetime.datetime) -> ServerCertificate:
    """The configured certificate, or one from our own authority, made anew when addresses change or time runs out."""
    if tls.cert:
        return ServerCertificate(Path(tls.cert), Path(tls.key or tls.cert), None)
    found = ServerCertificate(folder / "server.crt", folder / "server.key", folder / "ca.crt")
    authority_key, authority = _authority(folder, now)
    names = frozenset({"localhost", "127.0.0.1", "::1", socket.gethostname(), *addresses})
    if not _still_good(found.chain, found.key, authority, names, now):
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _leaf(names, key, authority, authority_key, now)
        write_secret(found.key, _pem(key))
        write_secret(found.chain, _pem_of(certificate) + _pem_of(authority))
    return found


def dtls_identity(folder: Path, now: datetime.datetime) -> Path:
    """A self-signed certificate and its key in one PEM file: its fingerprint survives restarts of the media process."""
    path = folder / "dtls.pem"
    if not path.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "zhuandi")])
        builder = _builder(name, name, key, now, AUTHORITY_DAYS)
        write_secret(path, _pem(key) + _pem_of(builder.sign(key, hashes.SHA256())))
    return path


def _authority(folder: Path, now: datetime.datetime) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key_path, path = folder / "ca.key", folder / "ca.crt"
    if key_path.exists() and path.exists():
        key = serialization.load_pem_private_key(key_path.read_bytes(), None)
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        if isinstance(key, ec.EllipticCurvePrivateKey) and certificate.not_valid_after_utc > now:
            return key, certificate
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Zhuandi {socket.gethostname()}"[:64])])
    certificate = (
        _builder(name, name, key, now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_secret(key_path, _pem(key))
    write_secret(path, _pem_of(certificate))
    return key, certificate


def _leaf(
    names: Names,
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    now: datetime.datetime,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "zhuandi")])
    return (
        _builder(subject, authority.subject, key, now, SERVER_DAYS)
        .add_extension(x509.SubjectAlternativeName([_general_name(n) for n in sorted(names)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _still_good(path: Path, key: Path, authority: x509.Certificate, names: Names, now: datetime.datetime) -> bool:
    if not (path.exists() and key.exists()):
        return False
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    has = {str(name.value) for name in alternative}
    fresh = certificate.not_valid_after_utc > now + datetime.timedelta(days=RENEW_DAYS)
    return fresh and has == names and _pem_of(authority) in path.read_bytes()


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime.datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _pem_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
