"""The public keys with which Debian signs its archives, as the package debian-archive-keyring has
them (2023.3+deb12u2): for Debian 12 and 13 the archive's, the security archive's and the release
key.
"""

from importlib.resources import files

from basestore.sources.signature import Keyring

# Primary keys. What their self-signed certificates bind counts as theirs: the archives' automatic
# keys sign with a subkey.
FINGERPRINTS = frozenset(
    {
        "B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8",  # Archive Automatic Signing Key (12/bookworm)
        "05AB90340C0C5E797F44A8C8254CF3B5AEC0A8F0",  # Security Archive (12/bookworm)
        "4D64FEC119C2029067D6E791F8D2585B8783D481",  # Stable Release Key (12/bookworm)
        "04B54C3CDCA79751B16BC6B5225629DF75B188BD",  # Archive Automatic Signing Key (13/trixie)
        "5E04A1E3223A19A20706E20F9904613D4CCE68C6",  # Security Archive (13/trixie)
        "41587F7DB8C774BCCF131416762F67A0B2C39DE4",  # Stable Release Key (13/trixie)
    }
)


def debian_keyring() -> Keyring:
    """Debian's keys, out of the package's own data."""
    return Keyring(files(__name__).joinpath("archive.gpg").read_bytes(), FINGERPRINTS)
