"""FTP clients of other projects in the lab, each run through what it can do with a server.

Each takes a Visit and performs it: log in, change directory, list, get, put, delete, make a directory, rename, ask for
a size, as far as the client has a way for it; and returns the names of the files that it fetched into visit.folder.
It raises Failed where the client itself says that something went wrong.
"""
import dataclasses
import os
import pathlib
import shutil
import subprocess

import ftp_servers


class Failed(Exception):
    pass


@dataclasses.dataclass
class Visit:
    hub: object
    host: str
    user: str
    password: str
    active: bool
    may_change: bool  # delete and rename
    tag: str  # part of the names it makes on the server
    folder: pathlib.Path  # its own, on the client's side

    @property
    def v6(self):
        return ":" in self.host

    @property
    def url_host(self):
        return f"[{self.host}]" if self.v6 else self.host

    @property
    def upload(self):
        return self.hub.folder / "to-upload.bin"

    def run(self, *command, text=None):
        environment = {"PATH": ftp_servers.search_path(), "HOME": str(self.hub.folder), "LC_ALL": "C.UTF-8", "TERM": "dumb"}
        try:
            ended = subprocess.run(self.hub.inside("client", *command), input=text, text=True, capture_output=True, timeout=40,
                                   cwd=self.folder, env=environment)
        except subprocess.TimeoutExpired as hung:
            raise Failed(f"{' '.join(command)}: no end after 40 s: {hung.stdout!r} {hung.stderr!r}") from None
        if ended.returncode != 0:
            raise Failed(f"{' '.join(command)}: status {ended.returncode}: {ended.stdout}{ended.stderr}".rstrip())
        return ended.stdout + ended.stderr


def curl(visit):
    base = f"ftp://{visit.url_host}/"
    usual = ["curl", "--silent", "--show-error", "--max-time", "30", "--user", f"{visit.user}:{visit.password}"]
    usual += ["--ftp-port", "-"] if visit.active else []
    made, put = f"upload/made-{visit.tag}", f"upload/put-{visit.tag}.bin"
    visit.run(*usual, base + "pub/")
    visit.run(*usual, "--head", base + "pub/small.bin")
    visit.run(*usual, base + "hello.txt", "-o", "hello.txt", base + "pub/small.bin", "-o", "small.bin")
    visit.run(*usual, "--upload-file", str(visit.upload), base + put)
    visit.run(*usual, "--list-only", "--quote", f"MKD {made}", base)
    if visit.may_change:
        visit.run(*usual, "--list-only", "--quote", f"RNFR {put}", "--quote", f"RNTO {put}.renamed",
                  "--quote", f"DELE {put}.renamed", "--quote", f"RMD {made}", base)
    return ["hello.txt", "small.bin"]


def lftp(visit):
    made, put = f"upload/made-{visit.tag}", f"upload/put-{visit.tag}.bin"
    steps = ["set cmd:fail-exit yes", "set net:max-retries 2", "set ssl:verify-certificate no", "set ftp:ssl-allow no",
             f"set ftp:passive-mode {'no' if visit.active else 'yes'}", f"open -u {visit.user},{visit.password} ftp://{visit.url_host}",
             "ls", "get hello.txt", "cd pub", "cls -l", "get small.bin", "cd ..", f"mkdir {made}", f"put {visit.upload} -o {put}"]
    if visit.may_change:
        steps += [f"mv {put} {put}.renamed", f"rm {put}.renamed", f"rmdir {made}"]
    visit.run("lftp", "--norc", "-c", "; ".join([*steps, "quit"]))
    return ["hello.txt", "small.bin"]


def tnftp(visit):
    made, put = f"upload/made-{visit.tag}", f"upload/put-{visit.tag}.bin"
    steps = [f"user {visit.user} {visit.password}", "binary", "pwd", "ls", "get hello.txt", "cd pub", "size small.bin",
             "modtime small.bin", "get small.bin", "cdup", f"mkdir {made}", f"put {visit.upload} {put}"]
    if visit.may_change:
        steps += [f"rename {put} {put}.renamed", f"delete {put}.renamed", f"rmdir {made}"]
    visit.run("tnftp", "-n", "-i", "-v", "-A" if visit.active else "-p", visit.host, text="\n".join([*steps, "quit"]) + "\n")
    return ["hello.txt", "small.bin"]


def ncftp(visit):
    usual = ["-u", visit.user, "-p", visit.password, "-E" if visit.active else "-F", "-t", "20", "-r", "1"]
    made, put = f"upload/made-{visit.tag}", f"put-{visit.tag}.bin"
    visit.run("ncftpls", *usual, "-l", f"ftp://{visit.host}/pub/")
    visit.run("ncftpget", *usual, "-V", visit.host, ".", "hello.txt", "pub/small.bin")
    local = visit.folder / put
    shutil.copy(visit.upload, local)
    after = [f"SIZE {put}"]
    if visit.may_change:
        after += [f"RNFR {put}", f"RNTO {put}.renamed", f"DELE {put}.renamed"]
    visit.run("ncftpput", *usual, "-V", "-m", *[word for step in after for word in ("-Y", step)], visit.host, made, str(local))
    return ["hello.txt", "small.bin"]


def wget(visit):
    usual = ["wget", "--no-verbose", "--tries=1", "--timeout=20", f"--ftp-user={visit.user}", f"--ftp-password={visit.password}"]
    usual += ["--no-passive-ftp"] if visit.active else []
    base = f"ftp://{visit.url_host}/"
    visit.run(*usual, base + "hello.txt")
    visit.run(*usual, "--recursive", "--no-directories", "--no-parent", "--timestamping", base + "pub/")
    return ["hello.txt", "small.bin"]


def aria2(visit):
    # It now and then misses a reply that came before the data's end, waits for its timeout and goes on content.
    visit.run("aria2c", "--quiet", "--no-conf", "--max-tries=1", "--timeout=4", "--split=1", "--max-concurrent-downloads=1",
              "--force-sequential=true", f"--ftp-user={visit.user}", f"--ftp-passwd={visit.password}", "--async-dns=false",
              f"--ftp-pasv={'false' if visit.active else 'true'}", f"ftp://{visit.url_host}/hello.txt",
              f"ftp://{visit.url_host}/pub/small.bin")
    return ["hello.txt", "small.bin"]


@dataclasses.dataclass
class Client:
    visit: object
    programs: tuple
    package: str
    v6: bool = True

    @property
    def name(self):
        return self.visit.__name__

    def missing(self):
        lacking = [program for program in self.programs if not shutil.which(program, path=ftp_servers.search_path())]
        return f"{', '.join(lacking)} ({self.package})" if lacking else None


ALL = (Client(curl, ("curl",), "curl"), Client(lftp, ("lftp",), "lftp"), Client(tnftp, ("tnftp",), "tnftp"),
       Client(ncftp, ("ncftpls", "ncftpget", "ncftpput"), "ncftp", v6=False), Client(wget, ("wget",), "wget"),
       Client(aria2, ("aria2c",), "aria2"))


UPLOAD_BYTES = 50_000


def make_upload(folder):
    (folder / "to-upload.bin").write_bytes(os.urandom(UPLOAD_BYTES))
