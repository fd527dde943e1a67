import base64

import pytest

from basestore.layer.foundation.certificates import make_certificates
from basestore.layer.foundation.tree import Tree
from basestore.layer.foundation.x509 import MalformedCertificateError, certificates, subject_hash

# Made with `openssl req -x509`. Two have the subject C=DE, O="Zwölf   Monde GmbH", CN=Test Root,
# with the hash 4a971f22 by `openssl x509 -subject_hash`; the third has CN=Multi, OU=a (e1c15f88).
FIRST = b"""-----BEGIN CERTIFICATE-----
MIIBezCCASECFDVan76WzmIEqSZQiBRbr4FwggirMAoGCCqGSM49BAMCMD8xCzAJ
BgNVBAYTAkRFMRwwGgYDVQQKDBNad8O2bGYgICBNb25kZSBHbWJIMRIwEAYDVQQD
DAlUZXN0IFJvb3QwIBcNMjYxMTIxMDk0NDQyWhgPMjEyNjEwMjgwOTQ0NDJaMD8x
CzAJBgNVBAYTAkRFMRwwGgYDVQQKDBNad8O2bGYgICBNb25kZSBHbWJIMRIwEAYD
VQQDDAlUZXN0IFJvb3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASLxoXps35C
2+ofNE+fbIQVTW0x3BgnhMULsDLxyZZIQd+JsSELsLBEbIgCvKLOKRRrf2cXwu7w
QB8hF5if7oPFMAoGCCqGSM49BAMCA0gAMEUCIQCPpeAbLsrg6h0s+Jx15siMIfRt
khzwm+t+bwpZbqsOswIgLre/ujroqZ1vczmFk7A3OPJWoN2hu7ZIU1Ilx6tuECY=
-----END CERTIFICATE-----
"""
TWIN = b"""-----BEGIN CERTIFICATE-----
MIIBezCCASECFGKpsUXt64VWVXrRhR4cMOFywG98MAoGCCqGSM49BAMCMD8xCzAJ
BgNVBAYTAkRFMRwwGgYDVQQKDBNad8O2bGYgICBNb25kZSBHbWJIMRIwEAYDVQQD
DAlUZXN0IFJvb3QwIBcNMjYxMTIxMDk0NDQzWhgPMjEyNjEwMjgwOTQ0NDNaMD8x
CzAJBgNVBAYTAkRFMRwwGgYDVQQKDBNad8O2bGYgICBNb25kZSBHbWJIMRIwEAYD
VQQDDAlUZXN0IFJvb3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARa4ihY/gUW
tpvpmu3w8TC6/LhG92vTDQygvCAMFp2WKUpVhNEJ3Egyw8KGxVoZY6kFlNbaOca/
2SpgY9srYQHHMAoGCCqGSM49BAMCA0gAMEUCIDanpBxASHtBDWWsQ9ZvH2IpYfkO
z0J7J9QtTDoIboptAiEA3jlOJEsd8AzFDeAFhCwXIOhBhWuK9qop65j7eTsdvIM=
-----END CERTIFICATE-----
"""
OTHER = b"""-----BEGIN CERTIFICATE-----
MIIBkDCCATWgAwIBAgIUDrCOy26DcWai4pAzbmdGUx+Mm+kwCgYIKoZIzj0EAwIw
HDEOMAwGA1UEAwwFTXVsdGkxCjAIBgNVBAsMAWEwIBcNMjYxMTIxMDk0NDQzWhgP
MjEyNjEwMjgwOTQ0NDNaMBwxDjAMBgNVBAMMBU11bHRpMQowCAYDVQQLDAFhMFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEckTCiw9K1ua8UICrI5X1tNTsvZDDO7Bb
cCsSxzZSIN87EuwFD2NDRXY+3BDD6meNb77mR9pyOFF9AgCL2qoavKNTMFEwHQYD
VR0OBBYEFJqM/xB7dPRviz7ZnHNj685CpcxxMB8GA1UdIwQYMBaAFJqM/xB7dPRv
iz7ZnHNj685CpcxxMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIh
APnZwDgD78yFyk/OcYFjQT0HpfaHQIXBnHU4AVPFLLnEAiEAhnIVJx/VuBJwjhSR
yi1Nmatf02xft/pdEIrsO1FOAns=
-----END CERTIFICATE-----
"""
SOURCES = "usr/share/ca-certificates"


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


def test_subject_hash_is_openssls():
    assert [subject_hash(certificates(pem)[0]) for pem in (FIRST, TWIN, OTHER)] == [
        "4a971f22",
        "4a971f22",
        "e1c15f88",
    ]


@pytest.mark.parametrize("size", [0, 1, 40, 200])
def test_a_broken_certificate_is_named_so(size):
    with pytest.raises(MalformedCertificateError):
        subject_hash(certificates(FIRST)[0][:size])


def test_broken_base64_is_named_so():
    broken = b"-----BEGIN CERTIFICATE-----\nAAAAA\n-----END CERTIFICATE-----\n"
    with pytest.raises(MalformedCertificateError):
        certificates(broken)


def test_bundle_configuration_and_links(tree):
    tree.add_file(f"{SOURCES}/mozilla/Zwei (2), x.crt", OTHER.rstrip())
    tree.add_file(f"{SOURCES}/mozilla/Eins.crt", FIRST)
    make_certificates(tree)
    assert tree.read("etc/ssl/certs/ca-certificates.crt") == FIRST + OTHER
    listed = (tree.read("etc/ca-certificates.conf") or b"").decode().splitlines()
    assert [line for line in listed if not line.startswith("#")] == [
        "mozilla/Eins.crt",
        "mozilla/Zwei (2), x.crt",
    ]
    links = {
        name: tree.nodes[f"etc/ssl/certs/{name}"].target for name in tree.names("etc/ssl/certs")
    }
    assert links == {
        "4a971f22.0": "Eins.pem",
        "Eins.pem": f"/{SOURCES}/mozilla/Eins.crt",
        "Zwei_=2=__x.pem": f"/{SOURCES}/mozilla/Zwei (2), x.crt",
        "ca-certificates.crt": "",
        "e1c15f88.0": "Zwei_=2=__x.pem",
    }


def test_one_subject_of_several_certificates_is_numbered_and_copies_are_left_out(tree):
    for name, pem in (("a", FIRST), ("b", FIRST), ("c", TWIN)):
        tree.add_file(f"{SOURCES}/{name}.crt", pem)
    make_certificates(tree)
    hashed = [name for name in tree.names("etc/ssl/certs") if not name.endswith((".pem", ".crt"))]
    assert hashed == ["4a971f22.0", "4a971f22.1"]
    assert tree.nodes["etc/ssl/certs/4a971f22.1"].target == "c.pem"


def test_files_of_several_certificates_or_none_get_no_hash(tree):
    tree.add_file(f"{SOURCES}/two.crt", FIRST + OTHER)
    tree.add_file(f"{SOURCES}/text.crt", base64.b64encode(b"nothing"))
    make_certificates(tree)
    assert tree.names("etc/ssl/certs") == ["ca-certificates.crt", "text.pem", "two.pem"]


def test_nothing_without_certificates(tree):
    make_certificates(tree)
    assert tree.nodes == {}
