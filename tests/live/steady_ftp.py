#!/usr/bin/env python3
"""Steady FTP traffic: so many sessions a second, each a login and a passive download or two, until it is killed.

usage: steady_ftp.py HOST SESSIONS_A_SECOND"""
import ftplib
import sys
import time


def session(host, number):
    with ftplib.FTP(host, timeout=5) as ftp:
        ftp.login("anonymous", f"steady{number}@example.com")
        for _ in range(1 + number % 2):
            ftp.retrbinary("RETR hello.txt", lambda _: None)
        ftp.quit()


def main():
    host, rate = sys.argv[1], float(sys.argv[2])
    number, begin = 0, time.monotonic()
    while True:
        time.sleep(max(0.0, begin + number / rate - time.monotonic()))
        try:
            session(host, number)
        except (OSError, EOFError, ftplib.Error) as error:
            print(f"session {number}: {error}", flush=True)
        number += 1


main()
