"""s3fs from Debian: a bucket as a folder. Needs /dev/fuse and the right to mount."""
import os
import pathlib
import shutil
import subprocess

import pytest
from conftest import files_of, need, run
from harness import pause

pytestmark = pytest.mark.skipif(not os.path.exists("/dev/fuse"), reason="no /dev/fuse")


class Mount:
    def __init__(self, place, folder, *options):
        self.place, self.folder, self.options = place, pathlib.Path(folder), options
        self.folder.mkdir(exist_ok=True)

    def __enter__(self):
        place = self.place
        options = [f"url={place.endpoint}", "retries=1", "connect_timeout=5", "stat_cache_expire=1", "multipart_size=5", *self.options]
        if not place.proxy:
            options.append("use_path_request_style")
        command = [need("s3fs"), place.bucket, str(self.folder), "-f"]
        for option in options:
            command += ["-o", option]
        self.log = open(self.folder.parent / "s3fs.log", "w+b")
        keys = {"AWSACCESSKEYID": place.account, "AWSSECRETACCESSKEY": place.secret}
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        env={**place.environment(), **keys})
        while not os.path.ismount(self.folder):
            if self.process.poll() is not None:
                self.log.seek(0)
                raise AssertionError(f"s3fs ended with {self.process.returncode}: {self.log.read().decode(errors='replace')[-3000:]}")
            pause(0.01)
        return self.folder

    def __exit__(self, kind, value, trace):
        run([need("fusermount3"), "-u", self.folder] if shutil.which("fusermount3") else ["umount", self.folder], os.environ)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.log.close()


@pytest.fixture
def mount(place, bucket, tmp_path):
    return lambda *options: Mount(place, tmp_path / "mount", *options)


def test_files_folders_and_their_attributes(mount, place, bucket, s3, tree):
    with mount() as root:
        (root / "dir").mkdir()
        (root / "dir" / "a b+c.txt").write_text("hello\n")
        assert (root / "dir" / "a b+c.txt").read_text() == "hello\n"
        assert os.listdir(root) == ["dir"] and os.listdir(root / "dir") == ["a b+c.txt"]
        with open(root / "dir" / "a b+c.txt", "a") as file:
            file.write("more\n")
        # Not os.truncate: without an open file s3fs 1.90 writes zeros.
        with open(root / "dir" / "a b+c.txt", "r+") as file:
            assert file.read() == "hello\nmore\n"
            file.truncate(8)
        os.chmod(root / "dir" / "a b+c.txt", 0o640)
        os.utime(root / "dir" / "a b+c.txt", (1767225600, 1767225600))
        stat = os.stat(root / "dir" / "a b+c.txt")
        assert (stat.st_mode & 0o777, stat.st_mtime, stat.st_size) == (0o640, 1767225600, 8)
        (root / "dir" / "a b+c.txt").rename(root / "new \u00fc.txt")
        (root / "dir").rmdir()
        os.symlink("new \u00fc.txt", root / "link")
        assert (root / "link").read_text() == "hello\nmo"
        shutil.copytree(tree, root / "tree")
        assert files_of(root / "tree") == files_of(tree)
        (root / "tree").rename(root / "renamed")
        assert files_of(root / "renamed") == files_of(tree)
    assert s3.get_object(Bucket=bucket, Key="new \u00fc.txt")["Body"].read() == b"hello\nmo"
    assert s3.head_object(Bucket=bucket, Key="new \u00fc.txt")["Metadata"]["mtime"] == "1767225600"
    with mount() as root:
        assert files_of(root / "renamed") == files_of(tree)
        shutil.rmtree(root / "renamed")
        (root / "link").unlink()
        assert os.listdir(root) == ["new \u00fc.txt"]
    assert [row["Key"] for row in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["new \u00fc.txt"]


def test_a_large_file_in_parts_is_changed_in_its_middle(mount, bucket, s3, big):
    with mount() as root:
        shutil.copyfile(big, root / "big.bin")
        with open(root / "big.bin", "r+b") as file:
            file.seek(9 << 20)
            file.write(b"changed")
        (root / "big.bin").rename(root / "renamed.bin")
    want = bytearray(big.read_bytes())
    want[9 << 20:(9 << 20) + 7] = b"changed"
    assert s3.get_object(Bucket=bucket, Key="renamed.bin")["Body"].read() == want
    with mount() as root, open(root / "renamed.bin", "rb") as file:
        file.seek(9 << 20)
        assert file.read(7) == b"changed"


def test_what_others_wrote_is_seen(mount, bucket, s3):
    s3.put_object(Bucket=bucket, Key="made/by/boto3.txt", Body=b"boto3", ContentType="text/plain")
    with mount() as root:
        assert (root / "made" / "by" / "boto3.txt").read_text() == "boto3"
        assert os.listdir(root / "made") == ["by"]
        (root / "made" / "by" / "boto3.txt").unlink()
        with pytest.raises(FileNotFoundError):
            (root / "made" / "by" / "boto3.txt").read_text()


@pytest.mark.parametrize("option", ["sigv2", "use_sse", "enable_content_md5", "enable_noobj_cache", "nomultipart",
                                    "storage_class=standard_ia", "listobjectsv2"])
def test_other_ways_to_speak(mount, bucket, s3, option):
    with mount(option) as root:
        (root / "d e").mkdir()
        (root / "d e" / "f\u00fc+.txt").write_text("hello")
        (root / "d e" / "f\u00fc+.txt").rename(root / "moved.txt")
    assert s3.get_object(Bucket=bucket, Key="moved.txt")["Body"].read() == b"hello"
