"""An authority of the test and what it signs, also what nobody should accept."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

LOCAL = (x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
ELSEWHERE = (x509.DNSName("broker.elsewhere.example"),)


@dataclass(frozen=True, slots=True)
class Signed:
    """A certificate and its key, as files."""

    cert_file: Path
    key_file: Path


class Authority:
    """Signs what it is asked to."""

    def __init__(self, folder: Path, name: str = "house") -> None:
        self._folder, self._name = folder, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._itself = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"{name} CA")])
        made = self._builder(self._itself, self._key, days=2).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.file = folder / f"{name}-ca.crt"
        self.file.write_bytes(_pem(made.sign(self._key, hashes.SHA256())))

    def sign(
        self,
        name: str,
        *,
        names: tuple[x509.GeneralName, ...] = LOCAL,
        days: float = 2,
    ) -> Signed:
        """days: for how long it is good; below 0 it has been over for so long."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        made = self._builder(subject, key, days=days).add_extension(
            x509.SubjectAlternativeName(names), critical=False
        )
        signed = Signed(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        signed.cert_file.write_bytes(_pem(made.sign(self._key, hashes.SHA256())))
        signed.key_file.touch(mode=0o600)
        signed.key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return signed

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: float
    ) -> x509.CertificateBuilder:
        end = datetime.now(UTC) + timedelta(days=days)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._itself)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(end - timedelta(days=4))
            .not_valid_after(end)
        )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
