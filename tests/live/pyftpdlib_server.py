#!/usr/bin/env python3
"""An FTP server of pyftpdlib on port 21 that writes down each command as it takes it.

usage: pyftpdlib_server.py ROOT USER:PASSWORD FIRST_PORT-LAST_PORT LOG

A line of LOG is the JSON [[client's address, port], command, argument], or [[...], code] for a reply. Guests and USER may do everything."""
import json
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    root, user, ports, path = sys.argv[1:]
    log = open(path, "w", buffering=1)

    class Handler(FTPHandler):
        def respond(self, resp, *arguments, **named):
            if resp[:3].isdigit():
                log.write(json.dumps([[self.remote_ip, self.remote_port], int(resp[:3])]) + "\n")
            super().respond(resp, *arguments, **named)

        def pre_process_command(self, line, cmd, arg):
            log.write(json.dumps([[self.remote_ip, self.remote_port], cmd, arg]) + "\n")
            super().pre_process_command(line, cmd, arg)

    authorizer = DummyAuthorizer()
    authorizer.add_anonymous(root, perm="elradfmwMT")
    authorizer.add_user(*user.split(":"), root, perm="elradfmwMT")
    Handler.authorizer = authorizer
    first, last = ports.split("-")
    Handler.passive_ports = range(int(first), int(last) + 1)
    Handler.auth_failed_timeout = 0
    FTPServer(("::", 21), Handler).serve_forever()


main()
