"""uv's settings files: what says how an index is reached is taken, all else is left aside."""

from pathlib import Path

import pytest

from basestore.errors import ExitCode
from basestore.sources.uv_environ import environ_for_uv
from basestore.sources.uv_settings import UvSettingsError, user_settings

STEERING = """
exclude-newer = "2020-01-01"
find-links = ["/wheels"]
no-index = true
resolution = "lowest"
prerelease = "allow"
index-strategy = "unsafe-best-match"
constraint-dependencies = ["lib<2"]
override-dependencies = ["lib<2"]
no-binary = true
"""


def settings(home: Path, text: str, **environ: str) -> dict[str, str]:
    """The environment with what a user's settings file adds."""
    write(home / ".config/uv/uv.toml", text)
    return user_settings(environ, home)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture(autouse=True)
def no_system_settings() -> None:
    if any(Path(file).exists() for file in ("/etc/uv/uv.toml", "/etc/xdg/uv/uv.toml")):
        pytest.skip("this machine has settings for uv of its own")


def test_nothing_where_there_are_no_files(tmp_path: Path) -> None:
    assert user_settings({"A": "b"}, tmp_path) == {"A": "b"}


def test_what_steers_is_left_aside(tmp_path: Path) -> None:
    assert settings(tmp_path, STEERING) == {}


def test_what_reaches_becomes_variables(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        'cache-dir = "/cache"\nkeyring-provider = "subprocess"\n'
        "native-tls = true\noffline = false\n"
        'allow-insecure-host = ["a", "b:8080"]\nindex-url = "https://u:p@i.example/simple"\n',
    )

    assert found == {
        "UV_CACHE_DIR": "/cache",
        "UV_INDEX_URL": "https://u:p@i.example/simple",
        "UV_INSECURE_HOST": "a b:8080",
        "UV_KEYRING_PROVIDER": "subprocess",
        "UV_NATIVE_TLS": "true",
        "UV_OFFLINE": "false",
    }
    assert environ_for_uv(found).keys() >= found.keys()


def test_the_default_index_among_several(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        '[[index]]\nname = "x"\nurl = "https://u:p@x.example/simple"\n'
        '[[index]]\nurl = "https://d.example/simple"\ndefault = true\n',
    )

    assert found == {
        "UV_INDEX": "https://u:p@x.example/simple",
        "UV_INDEX_URL": "https://d.example/simple",
    }


def test_a_variable_comes_before_a_file_and_pip_before_the_rest(tmp_path: Path) -> None:
    text = 'index-url = "https://a.example"\n[pip]\nindex-url = "https://b.example"\n'

    assert settings(tmp_path, text)["UV_INDEX_URL"] == "https://b.example"
    found = settings(tmp_path, text, UV_INDEX_URL="https://c.example")
    assert found["UV_INDEX_URL"] == "https://c.example"


def test_the_users_file_comes_before_the_systems(tmp_path: Path) -> None:
    write(tmp_path / "xdg/uv/uv.toml", 'cache-dir = "/system"\nkeyring-provider = "subprocess"\n')

    found = settings(tmp_path, 'cache-dir = "/user"\n', XDG_CONFIG_DIRS=str(tmp_path / "xdg"))

    assert found["UV_CACHE_DIR"] == "/user"
    assert found["UV_KEYRING_PROVIDER"] == "subprocess"


def test_a_named_file_stands_for_all_and_none_can_be_wished(tmp_path: Path) -> None:
    write(tmp_path / "named.toml", 'cache-dir = "/named"\n')
    text = 'cache-dir = "/user"\nkeyring-provider = "subprocess"\n'

    named = settings(tmp_path, text, UV_CONFIG_FILE=str(tmp_path / "named.toml"))
    none = settings(tmp_path, text, UV_NO_CONFIG="1")

    assert named.keys() - {"UV_CONFIG_FILE"} == {"UV_CACHE_DIR"}
    assert named["UV_CACHE_DIR"] == "/named"
    assert none == {"UV_NO_CONFIG": "1"}


def test_stored_credentials_are_added_to_the_urls(tmp_path: Path) -> None:
    write(
        tmp_path / ".local/share/uv/credentials/credentials.toml",
        '[[credential]]\nservice = "https://i.example/"\nusername = "me"\nscheme = "basic"\n'
        'password = "a/b c"\n[[credential]]\nservice = "https://j.example/"\nscheme = "bearer"\n'
        'token = "t"\n',
    )

    found = user_settings({"UV_INDEX": "x=https://x.example"}, tmp_path)

    assert found == {"UV_INDEX": "https://me:a%2Fb%20c@i.example/ x=https://x.example"}


@pytest.mark.parametrize(
    "text",
    [
        'index-url = "https://u:s3cret@i.example',
        'index-url = ["https://u:s3cret@i.example"]',
        'index = "https://u:s3cret@i.example"',
        'index = ["https://u:s3cret@i.example"]',
        'allow-insecure-host = ["a", 1]',
        'native-tls = "s3cret"',
        "pip = 1",
    ],
)
def test_a_broken_file_is_named_and_not_quoted(tmp_path: Path, text: str) -> None:
    with pytest.raises(UvSettingsError) as failure:
        settings(tmp_path, text)

    assert failure.value.exit_code == ExitCode.BAD_INPUT
    assert str(tmp_path / ".config/uv/uv.toml") in failure.value.message
    assert "s3cret" not in failure.value.message + failure.value.hint
    assert "UV_NO_CONFIG" in failure.value.hint


def test_a_named_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UvSettingsError, match="no such file"):
        user_settings({"UV_CONFIG_FILE": str(tmp_path / "nowhere.toml")}, tmp_path)


def test_a_stored_service_that_is_no_url(tmp_path: Path) -> None:
    write(
        tmp_path / ".local/share/uv/credentials/credentials.toml",
        '[[credential]]\nservice = "https://[i"\npassword = "canary"\nscheme = "basic"\n',
    )

    with pytest.raises(UvSettingsError, match="service is no URL") as caught:
        user_settings({}, tmp_path)
    assert "canary" not in str(caught.value)
