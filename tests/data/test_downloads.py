"""Fetching from a server on this machine, and archives that mean no good."""

import hashlib
import io
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ir_attention.data.downloads import Download, fetch, is_archive, unpack
from ir_attention.errors import DataError

BODY = b"a small file\n" * 999
MD5 = "md5:" + hashlib.md5(BODY).hexdigest()
SHA256 = "sha256:" + hashlib.sha256(BODY).hexdigest()


class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/gone":
            self.send_error(404)
        elif self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "ftp://127.0.0.1/file.zip")
            self.end_headers()
        else:
            self.send_response(200)
            if self.path != "/unsized":
                self.send_header("Content-Length", str(len(BODY) + (self.path == "/short")))
            self.end_headers()
            self.wfile.write(BODY)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.fixture
def plain(monkeypatch):
    """Lets the test's own server be asked, which has no certificate."""
    monkeypatch.setattr("ir_attention.data.downloads._SCHEMES", {"https", "http"})
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.mark.parametrize(
    "known", [{}, {"checksum": MD5}, {"checksum": SHA256, "size": len(BODY)}, {"limit": len(BODY)}]
)
@pytest.mark.parametrize("path", ["file.zip", "unsized"])
def test_fetches(known, path, server, plain, tmp_path):
    assert fetch(Download(f"{server}/{path}", **known), tmp_path) == tmp_path / path
    assert (tmp_path / path).read_bytes() == BODY
    named = fetch(Download(f"{server}/x", name="train/a.toks", **known), tmp_path)
    assert named == tmp_path / "train" / "a.toks" and named.read_bytes() == BODY


@pytest.mark.parametrize(
    ("path", "known", "message"),
    [
        ("file", {"checksum": "md5:" + "0" * 32}, f"its md5 must be 0+. Received: {MD5[4:]}"),
        ("file", {"checksum": "sha256:" + "0" * 64}, "its sha256 must be 0+"),
        (
            "file",
            {"size": len(BODY) + 1},
            f"must have {len(BODY) + 1} bytes. Received: {len(BODY)}",
        ),
        ("file", {"size": len(BODY) - 1}, "must not exceed"),
        ("unsized", {"limit": 99}, "must not exceed 99 bytes"),
        ("short", {}, f"must have {len(BODY) + 1} bytes. Received: {len(BODY)}"),
        ("gone", {}, "cannot be fetched; .* Received: HTTP Error 404"),
        ("away", {}, "must begin with https://. Received: 'ftp://"),
    ],
)
def test_what_cannot_be_used_leaves_nothing(path, known, message, server, plain, tmp_path):
    with pytest.raises(DataError, match=message):
        fetch(Download(f"{server}/{path}", **known), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["http://127.0.0.1/a", "file:///etc/hostname", "ftp://a/b", "a"])
def test_only_https(url, tmp_path):
    with pytest.raises(DataError, match="must begin with https://"):
        fetch(Download(url), tmp_path)


def test_nobody_there(plain, tmp_path):
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as stopped:
        url = f"http://127.0.0.1:{stopped.server_port}/a"
    with pytest.raises(DataError, match="cannot be fetched; .* Received: .*refused"):
        fetch(Download(url), tmp_path, timeout=5)


def zipped(path, names, *, symlink=False):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o120777 if symlink else 0o100644) << 16
            archive.writestr(info, b"content" * 100)
    return path


def tarred(path, names, *, kind=tarfile.REGTYPE):
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            member.size = 700 if kind == tarfile.REGTYPE else 0
            archive.addfile(member, io.BytesIO(b"content" * 100))
    return path


MAKERS = {"zip": zipped, "tgz": tarred}


@pytest.mark.parametrize("kind", MAKERS)
def test_unpacks(kind, tmp_path):
    archive = MAKERS[kind](tmp_path / "any name", ["a/b/c.txt", "./d.txt", "e..f"])
    (tmp_path / "out").mkdir()
    files = unpack(archive, tmp_path / "out")
    assert set(files) == {"a/b/c.txt", "./d.txt", "e..f"}
    assert all(path.read_bytes() == b"content" * 100 for path in files.values())
    assert (tmp_path / "out" / "a" / "b" / "c.txt") in files.values()
    (tmp_path / "less").mkdir()
    assert set(unpack(archive, tmp_path / "less", wanted=r"^a/")) == {"a/b/c.txt"}


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["../out.txt"], "must lead into the folder. Received: '../out.txt'"),
        (["a/../../out.txt"], "must lead into the folder"),
        (["/out.txt"], "must lead into the folder"),
        (["..\\out.txt"], "must lead into the folder"),
        (["C:/out.txt"], "must lead into the folder"),
        (["a", "a/b"], "must name each file once. Received: 'a/b'"),
        ([f"{n}.txt" for n in range(4)], "holds more than the data set has"),
    ],
)
def test_refuses_names(kind, names, message, tmp_path):
    archive = MAKERS[kind](tmp_path / "archive", names)
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match=message):
        unpack(archive, tmp_path / "out", most=3)
    assert {path.name for path in tmp_path.iterdir()} == {"archive", "out"}


def test_refuses_bombs(tmp_path):
    """A megabyte of zeros in a kilobyte, and the sizes of files that are passed over count too."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(1 << 20))
    with tarfile.open(tmp_path / "a.tar.xz", "w:xz") as archive:
        member = tarfile.TarInfo("zeros")
        member.size = 1 << 20
        archive.addfile(member, io.BytesIO(bytes(1 << 20)))
    for name in ("a.zip", "a.tar.xz"):
        assert (tmp_path / name).stat().st_size < 2000
        out = tmp_path / f"out of {name}"
        out.mkdir()
        with pytest.raises(DataError, match="holds more .* 'zeros' with 1048576 bytes"):
            unpack(tmp_path / name, out, wanted="none", limit=1 << 19)
        assert list(out.iterdir()) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_refuses_links_and_devices(kind, tmp_path):
    with pytest.raises(DataError, match="a link or device"):
        unpack(tarred(tmp_path / "a.tgz", ["a"], kind=kind), tmp_path)
    with pytest.raises(DataError, match="a link or device"):
        unpack(zipped(tmp_path / "a.zip", ["a"], symlink=True), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"a.tgz", "a.zip"}


@pytest.mark.parametrize("kind", MAKERS)
def test_refuses_what_is_damaged(kind, tmp_path):
    archive = MAKERS[kind](tmp_path / "archive", ["a", "b"])
    whole = archive.read_bytes()
    (tmp_path / "out").mkdir()
    for damaged in (b"", b"no archive", whole[: len(whole) // 2], whole[:40] + b"!" + whole[41:]):
        archive.write_bytes(damaged)
        with pytest.raises(DataError, match="must be a whole zip or tar archive|must name each"):
            unpack(archive, tmp_path / "out")


def test_archives_by_name(tmp_path):
    assert is_archive(tmp_path / "A.ZIP") and is_archive(tmp_path / "b.tar.bz2")
    assert not is_archive(tmp_path / "c.tsv.gz") and not is_archive(tmp_path / "zip")
