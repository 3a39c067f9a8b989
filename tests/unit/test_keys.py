"""API keys: made once, stored as digests, compared without telling by time, read anew."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import re
from pathlib import Path

import pytest

from pgmcp.cli import main
from pgmcp.errors import CallerError
from pgmcp.keys import KEY, KeyStore, find, new_key, parse
from pgmcp.settings import Identity, load

DIGEST = "a" * 64
KEY_A, LINE_A = new_key("a")
KEY_B, LINE_B = new_key("b")


def store_of(path: Path) -> KeyStore:
    """Return the store of one file."""
    return KeyStore(Identity(keys_file=path))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a file with one key."""
    file = tmp_path / "keys"
    file.write_text(f"{LINE_A}\n")
    return file


def test_a_new_key_has_256_random_bits_and_is_stored_as_its_digest() -> None:
    key, line = new_key("ci")

    assert re.fullmatch(r"pgmcp_[A-Za-z0-9_-]{43}", key)
    assert line == f"ci {hashlib.sha256(key.encode()).hexdigest()}"
    assert new_key("ci")[0] != key


def test_the_command_prints_key_and_line_once(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["key", "new", "ci"])

    key, line = capsys.readouterr().out.splitlines()
    assert status == 0
    assert find(parse(line, "here"), key) == "ci"


@pytest.mark.parametrize(
    "name", ["", "a b", "a\nb", "ana@example.com", "é", "x" * 64, "key:ci", "#", "a\x1b"]
)
def test_a_name_that_would_not_fit_the_line_is_refused(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["key", "new", name])

    assert status == 1
    assert "is no name of a key. Write 1 to 63" in capsys.readouterr().err


def test_comments_and_empty_lines_are_no_keys() -> None:
    text = f"# who: CI\n\n  {LINE_A}   # since May\n{LINE_B.upper().replace('B ', 'b ', 1)}\n"

    assert [key.name for key in parse(text, "here")] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        pytest.param("ci", 1, id="no digest"),
        pytest.param(f"ci {DIGEST[:-1]}", 1, id="short digest"),
        pytest.param(f"ci {DIGEST}0", 1, id="long digest"),
        pytest.param(f"ci {DIGEST[:-1]}g", 1, id="no hexadecimal"),
        pytest.param(f"{LINE_A}\nci {DIGEST} 5", 2, id="third word"),
        pytest.param(f"ana@example.com {DIGEST}", 1, id="odd name"),
        pytest.param(f"ci {KEY_A}", 1, id="the key itself"),
        pytest.param(f"\ufeffci {DIGEST}", 1, id="byte order mark"),
    ],
)
def test_a_malformed_line_is_named_and_not_repeated(text: str, number: int) -> None:
    """The line may hold a key, which belongs in no journal."""
    with pytest.raises(CallerError, match=f"in /k have a malformed line {number}") as caught:
        parse(text, "/k")

    assert KEY_A not in caught.value.message


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(f"a {DIGEST}", id="name"),
        pytest.param(LINE_A.replace("a ", "other ", 1), id="digest"),
    ],
)
def test_a_repeated_name_or_digest_is_refused(second: str) -> None:
    with pytest.raises(CallerError, match="repeat a name or a digest in line 2"):
        parse(f"{LINE_A}\n{second}", "/k")


class Witness:
    """Be compare_digest, and note what was compared."""

    def __init__(self) -> None:
        self.pairs: list[tuple[bytes, bytes]] = []

    def __call__(self, left: bytes, right: bytes) -> bool:
        """Compare as hmac does."""
        self.pairs.append((left, right))
        return hmac.compare_digest(left, right)


@pytest.mark.parametrize("key", [KEY_A, KEY_B, "pgmcp_" + "x" * 43], ids=["first", "last", "none"])
def test_every_stored_digest_is_compared_whichever_fits(key: str) -> None:
    keys = parse(f"{LINE_A}\nmiddle {DIGEST}\n{LINE_B}", "here")
    witness = Witness()

    found = find(keys, key, witness)

    assert found == {KEY_A: "a", KEY_B: "b"}.get(key)
    assert [stored for stored, _ in witness.pairs] == [each.digest for each in keys]
    assert {len(part) for pair in witness.pairs for part in pair} == {32}


def test_the_comparison_alone_decides() -> None:
    keys = parse(LINE_A, "here")

    assert find(keys, "anything", lambda _left, _right: True) == "a"
    assert find(keys, KEY_A, lambda _left, _right: False) is None


def test_the_comparison_is_the_constant_time_one() -> None:
    assert find.__defaults__ == (hmac.compare_digest,)


def test_neither_key_nor_digest_is_kept_in_clear(path: Path) -> None:
    store = store_of(path)
    store.name_of(KEY_A)

    assert KEY_A not in repr(vars(store))


@pytest.mark.parametrize(
    "key", ["", "pgmcp_", KEY_A[:-1], KEY_A + "x", KEY_A.upper(), "pgmcp_" + "é" * 43, "\x00"]
)
def test_what_is_not_the_key_finds_nothing(path: Path, key: str) -> None:
    assert store_of(path).name_of(key) is None


def test_without_a_file_no_key_is_known() -> None:
    assert KeyStore(Identity()).name_of(KEY_A) is None


def test_a_changed_file_is_read_again(path: Path) -> None:
    store = store_of(path)
    before = store.name_of(KEY_A), store.name_of(KEY_B)

    path.write_text(f"{LINE_B}\n")

    assert before == ("a", None)
    assert (store.name_of(KEY_A), store.name_of(KEY_B)) == (None, "b")


def test_a_file_put_in_its_place_is_read_even_with_the_old_time(path: Path) -> None:
    """Editors and agenix rename a new file over the old one."""
    store = store_of(path)
    new = path.with_name("new")
    new.write_text(f"{LINE_B}\n")
    was = path.stat()
    os.utime(new, ns=(was.st_atime_ns, was.st_mtime_ns))

    new.replace(path)

    assert (store.name_of(KEY_A), store.name_of(KEY_B)) == (None, "b")


def test_an_emptied_file_revokes_every_key(path: Path) -> None:
    store = store_of(path)

    path.write_text("")

    assert store.name_of(KEY_A) is None


@pytest.mark.parametrize("broken", [f"{LINE_B}\nx y z", f"{LINE_B}\n{LINE_B}"])
def test_a_broken_file_keeps_the_keys_and_is_told_once(
    path: Path, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = store_of(path)

    path.write_text(broken)
    found = [store.name_of(KEY_A), store.name_of(KEY_A), store.name_of(KEY_B)]

    assert found == ["a", "a", None]
    assert caplog.text.count("the keys read before still count: ") == 1


def test_a_file_that_vanished_keeps_the_keys_until_it_is_back(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = store_of(path)

    path.unlink()
    gone = store.name_of(KEY_A)
    path.write_text(f"{LINE_B}\n")
    back = store.name_of(KEY_A), store.name_of(KEY_B)

    assert gone == "a"
    assert back == (None, "b")
    assert caplog.text.count("cannot read the API keys") == 1


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"x\n"], ids=["none", "no text", "broken"])
def test_a_file_that_cannot_be_read_at_the_start_is_a_sentence(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "keys"
    file.write_bytes(content or b"")
    named = file if content else tmp_path / "nowhere"

    with pytest.raises(CallerError, match=re.escape(str(named))):
        store_of(named)


def test_a_credential_is_a_file_that_systemd_hands_over(path: Path, tmp_path: Path) -> None:
    config = tmp_path / "pgmcp.toml"
    config.write_text(f"[identity]\nkeys_credential = '{path.name}'\n")

    settings = load(environ={"CREDENTIALS_DIRECTORY": str(tmp_path)}, file=config)

    assert KeyStore(settings.identity).name_of(KEY_A) == "a"


def test_a_credential_that_was_not_handed_over_is_a_sentence(tmp_path: Path) -> None:
    """`pgmcp check` runs where no credential exists, so only the start asks for it."""
    config = tmp_path / "pgmcp.toml"
    config.write_text("[identity]\nkeys_credential = 'api-keys'\n")
    settings = load(environ={}, file=config)

    with pytest.raises(CallerError, match="Add LoadCredential=api-keys:FILE to the unit"):
        KeyStore(settings.identity)


def test_the_log_tells_how_many_keys_and_none_of_them(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    store = store_of(path)

    path.write_text(f"{LINE_A}\n{LINE_B}\n")
    store.name_of(KEY_B)

    assert "read 2 API keys from" in caplog.text
    assert not KEY.search(caplog.text)
