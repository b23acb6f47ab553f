#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Plain Python programs over each stack: the socket module, selectors, asyncio,
http.server.  STACK=tcp|inet|xtcp selects stacks, as for the C programs.

Python knows no addresses of family AF_XTCP, but it looks at what getsockname()
says when it adopts a descriptor, and that is AF_INET or AF_INET6."""
import asyncio
import ctypes
import errno
import fcntl
import hashlib
import http.client
import http.server
import os
import selectors
import socket
import socketserver
import struct
import sys
import threading
import traceback

AF_XTCP, IPPROTO_XTCP = 19, 253
CLONE_NEWNET, SIOCSIFFLAGS, IFF_UP = 0x40000000, 0x8914, 1
LIMIT = 60

STACKS = {
    "tcp4": (socket.AF_INET, 6, socket.AF_INET),
    "tcp6": (socket.AF_INET6, 6, socket.AF_INET6),
    "inet4": (socket.AF_INET, IPPROTO_XTCP, socket.AF_INET),
    "inet6": (socket.AF_INET6, IPPROTO_XTCP, socket.AF_INET6),
    "xtcp4": (AF_XTCP, 0, socket.AF_INET),
    "xtcp6": (AF_XTCP, 1, socket.AF_INET6),
}


class Stack:
    def __init__(self, name):
        self.name = name
        self.domain, self.proto, self.family = STACKS[name]
        self.host = "127.0.0.1" if self.family == socket.AF_INET else "::1"
        self.xtcp = not name.startswith("tcp")

    def socket(self):
        sock = socket.socket(self.domain, socket.SOCK_STREAM, self.proto)
        if self.domain == AF_XTCP:
            sock = socket.socket(fileno=sock.detach())
        sock.settimeout(LIMIT)
        return sock

    def listener(self):
        sock = self.socket()
        sock.bind((self.host, 0))
        sock.listen(8)
        return sock

    def connect(self, lsock):
        sock = self.socket()
        sock.connect(lsock.getsockname())
        return sock

    def pair(self):
        with self.listener() as lsock:
            client = self.connect(lsock)
            server, peer = lsock.accept()
            assert peer == client.getsockname()
            server.settimeout(LIMIT)
            return client, server


def out_segs():
    """OutSegs of kernel TCP and of XTCP in this namespace."""
    with open("/proc/net/snmp") as f:
        names, values = [line.split() for line in f if line.startswith("Tcp:")]
    tcp = int(values[names.index("OutSegs")])
    try:
        with open("/proc/net/xtcp_stat") as f:
            return tcp, int(dict(line.split() for line in f)["OutSegs"])
    except FileNotFoundError:
        return tcp, 0


def test_echo(st):
    client, server = st.pair()
    with client, server:
        assert server.family == st.family
        assert client.type == socket.SOCK_STREAM
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL) == \
            (IPPROTO_XTCP if st.xtcp else socket.IPPROTO_TCP)
        client.sendall(b"hello")
        assert server.recv(100) == b"hello"
        client.shutdown(socket.SHUT_WR)
        assert server.recv(100) == b""


def test_one_megabyte(st):
    client, server = st.pair()
    # Not os.urandom(): it waits where a fresh machine has no entropy yet.
    data = b"".join(struct.pack("!I", i * 2654435761 % 2**32) for i in range(1 << 18))
    sender = threading.Thread(target=lambda: (client.sendall(data), client.close()))
    sender.start()
    digest = hashlib.sha256()
    with server:
        while chunk := server.recv(65536):
            digest.update(chunk)
    sender.join()
    assert digest.digest() == hashlib.sha256(data).digest()


def test_files(st):
    client, server = st.pair()
    with client, server:
        with client.makefile("w") as out, server.makefile("r") as lines:
            print("first\nsecond", file=out, flush=True)
            assert lines.readline() == "first\n"
            assert lines.readline() == "second\n"


def test_refused(st):
    with st.listener() as lsock:
        where = lsock.getsockname()
    with st.socket() as sock:
        try:
            sock.connect(where)
        except ConnectionRefusedError:
            pass
        else:
            raise AssertionError("connected to nobody")
    with st.socket() as sock:
        assert sock.connect_ex(where) == errno.ECONNREFUSED


def test_timeout(st):
    client, server = st.pair()
    with client, server:
        client.settimeout(0.05)
        try:
            client.recv(1)
        except TimeoutError:
            return
        raise AssertionError("no timeout")


def test_reset(st):
    client, server = st.pair()
    with server:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        try:
            server.recv(1)
        except ConnectionResetError:
            return
        raise AssertionError("no reset")


def test_sendfile(st):
    client, server = st.pair()
    with client, server, open(__file__, "rb") as f:
        size = client.sendfile(f)
        client.shutdown(socket.SHUT_WR)
        with server.makefile("rb") as got, open(__file__, "rb") as again:
            assert got.read() == again.read()
        assert size == os.path.getsize(__file__)


def test_selectors(st):
    with st.listener() as lsock, selectors.DefaultSelector() as sel:
        sel.register(lsock, selectors.EVENT_READ)
        client = st.connect(lsock)
        assert sel.select(LIMIT)[0][0].fileobj is lsock
        server, _ = lsock.accept()
        sel.register(server, selectors.EVENT_READ)
        with client, server:
            client.sendall(b"x")
            assert sel.select(LIMIT)[0][0].fileobj is server


def test_asyncio(st):
    async def serve(reader, writer):
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()

    async def ask(where):
        # asyncio asks getaddrinfo() about protocols that it does not know:
        # tell it "any".
        sock = socket.socket(st.family, socket.SOCK_STREAM, 0, st.socket().detach())
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, where)
        reader, writer = await asyncio.open_connection(sock=sock)
        writer.write(b"question\n")
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer

    async def main():
        lsock = st.listener()
        lsock.setblocking(False)
        where = lsock.getsockname()
        server = await asyncio.start_server(serve, sock=lsock)
        async with server:
            answers = await asyncio.gather(*(ask(where) for _ in range(8)))
        assert answers == [b"QUESTION\n"] * 8

    asyncio.run(asyncio.wait_for(main(), LIMIT))


def test_http(st):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = self.path.encode() * 1000
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    class Server(socketserver.TCPServer):
        def __init__(self):
            super().__init__((st.host, 0), Handler, bind_and_activate=False)
            self.socket.close()
            self.socket = st.listener()

    class Client(http.client.HTTPConnection):
        def connect(self):
            self.sock = st.socket()
            self.sock.connect((self.host, self.port))

    with Server() as server:
        port = server.socket.getsockname()[1]
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        client = Client(st.host, port)
        client.request("GET", "/path")
        answer = client.getresponse()
        assert answer.status == 200
        assert answer.read() == b"/path" * 1000
        client.close()
        thread.join()


def new_namespace():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def run(st, test):
    """One test in a process of its own; its traffic was the stack's and no other's."""
    before = out_segs()
    pid = os.fork()
    if not pid:
        try:
            test(st)
        except BaseException:
            for line in traceback.format_exc().splitlines():
                print("#", line)
            sys.stdout.flush()
            os._exit(1)
        os._exit(0)
    ok = os.waitpid(pid, 0)[1] == 0
    tcp, xtcp = (after - was for was, after in zip(before, out_segs()))
    if (tcp if st.xtcp else xtcp) or not (xtcp if st.xtcp else tcp):
        print(f"# segments sent: {tcp} by kernel TCP, {xtcp} by XTCP")
        ok = False
    return ok


def main():
    wanted = os.environ.get("STACK", "").replace(",", " ").split() or [""]
    stacks = [Stack(n) for n in STACKS if any(n.startswith(w) for w in wanted)]
    tests = [(n, f) for n, f in globals().items() if n.startswith("test_")]
    new_namespace()
    print("TAP version 13")
    print(f"1..{len(stacks) * len(tests)}", flush=True)
    number = failed = 0
    for st in stacks:
        for name, test in tests:
            number += 1
            ok = run(st, test)
            failed += not ok
            print(f"{'' if ok else 'not '}ok {number} python.{st.name}.{name[5:]}",
                  flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
