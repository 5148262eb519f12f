"""Another host on the same machine: a network namespace behind a veth pair (needs root)."""

from __future__ import annotations

import os
import secrets
import subprocess
from pathlib import Path
from typing import Self


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


class Namespace:
    """`here` is this machine's address on the pair, `there` the other host's."""

    def __init__(self) -> None:
        tag = secrets.token_hex(3)
        self.name = f"zd{tag}"
        self._here_if, self._there_if = f"zh{tag}", f"zt{tag}"
        third, fourth = secrets.randbelow(256), secrets.randbelow(63) * 4
        self.here, self.there = (f"10.213.{third}.{fourth + host}" for host in (1, 2))

    def __enter__(self) -> Self:
        assert os.geteuid() == 0, "network namespaces need root"
        _run("ip", "netns", "add", self.name)
        try:
            _run("ip", "link", "add", self._here_if, "type", "veth", "peer", "name", self._there_if, "netns", self.name)
            _run("ip", "addr", "add", f"{self.here}/30", "dev", self._here_if)
            _run("ip", "link", "set", self._here_if, "up")
            self.run("ip", "addr", "add", f"{self.there}/30", "dev", self._there_if)
            self.run("ip", "link", "set", self._there_if, "up")
            self.run("ip", "link", "set", "lo", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["ip", "netns", "del", self.name], check=False, capture_output=True)
        subprocess.run(["ip", "link", "del", self._here_if], check=False, capture_output=True)

    def command(self, *command: str) -> list[str]:
        """The command line that runs `command` over there."""
        return ["ip", "netns", "exec", self.name, *command]

    def run(self, *command: str) -> None:
        """Run to the end over there; raises `CalledProcessError`."""
        _run(*self.command(*command))

    def drop_udp(self) -> None:
        """A firewall that lets no UDP out or in, as some schools have."""
        self.run("nft", "add table inet zhuandi")
        for hook in ("input", "output"):
            self.run("nft", f"add chain inet zhuandi {hook} {{ type filter hook {hook} priority 0 ; }}")
            self.run("nft", f"add rule inet zhuandi {hook} meta l4proto udp drop")

    def drop_all(self) -> None:
        """Nothing passes, and the computer is not told: as when a village's line is down beyond its modem."""
        self.run("nft", "add table inet cut")
        for hook, way in (("input", "iifname"), ("output", "oifname")):
            self.run("nft", f"add chain inet cut {hook} {{ type filter hook {hook} priority 0 ; }}")
            self.run("nft", f'add rule inet cut {hook} {way} != "lo" drop')

    def drop_nothing(self) -> None:
        """The end of `drop_all`."""
        self.run("nft", "delete table inet cut")

    def allow_all(self) -> None:
        """Without any firewall."""
        self.run("nft", "flush ruleset")

    def cut(self) -> None:
        """Pull the plug."""
        _run("ip", "link", "set", self._here_if, "down")

    def mend(self) -> None:
        """Put it back."""
        _run("ip", "link", "set", self._here_if, "up")

    def wrapper(self, folder: Path, program: str) -> str:
        """A program file that starts `program` over there."""
        file = folder / f"{self.name}-{Path(program).name}"
        file.write_text(f'#!/bin/sh\nexec ip netns exec {self.name} {program} "$@"\n')
        file.chmod(0o755)
        return str(file)
