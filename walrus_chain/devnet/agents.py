"""The agents of a local network: their folders, their start, and how to know that they are ready."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from walrus_chain.devnet.home import DevnetHome
from walrus_chain.devnet.keys import KeyFile
from walrus_chain.devnet.plan import DevnetParameters
from walrus_chain.devnet.processes import ProcessDied, ProcessHandle
from walrus_chain.errors import Retryable


class AgentNotReady(Retryable):
    """An agent runs, but does not answer in time."""

    def __init__(self, name: str, url: str, seconds: float, log: Path) -> None:
        super().__init__(f"{name} at {url} did not become ready within {seconds:.0f} s; its log is {log}")
        self.name, self.url, self.log = name, url, log


def prepare_agent(home: DevnetHome, parameters: DevnetParameters, place: int, rpc_url: str) -> bytes:
    """Write the settings and keys of the agent at `place` (from 0). Returns the encryption key that it registers."""
    from storage_agent.config import (
        AccessSettings,
        ChainSettings,
        KeySettings,
        LogSettings,
        NodeSettings,
        ServerSettings,
        Settings,
        StorageSettings,
        WorkSettings,
        write_settings,
    )
    from storage_agent.keys.files import SCRYPT_N_FOR_CHANCE, read_password, write_master_keys
    from walrus_chain.crypto.node_key import node_key

    name = parameters.agent_names()[place]
    signer = KeyFile.create(home.agent_signer(name).path)
    folder = home.agent(name)
    folder.mkdir(parents=True, exist_ok=True)
    settings = Settings(
        node=NodeSettings(name=name),
        storage=StorageSettings(data_dir=home.agent_data(name)),
        chain=ChainSettings(rpc=(rpc_url,), deployment=home.deployment_file, poll_seconds=0.25),
        keys=KeySettings(signer=signer.path, password_file=signer.password_file, encryption=folder / "master.json"),
        server=ServerSettings(port=parameters.port_of(place)),
        work=WorkSettings(heal_delay_seconds=2.0, trim_delay_seconds=5.0),
        # All readers of a local network have one address.
        access=AccessSettings(
            confirmations=0, minimum_redeem=1.0, minimum_settle=1.0, requests_per_second=1000.0, burst=10_000
        ),
        log=LogSettings(),
    )
    home.agent_settings(name).write_text(write_settings(settings))
    password = read_password(settings.keys.password_file)
    master, *_ = write_master_keys(settings.keys.encryption, password, SCRYPT_N_FOR_CHANCE)
    return node_key(master, signer.address)


class AgentHost:
    """Forks agents from one process that has loaded their code; a context manager around `start`.

    It begins to load when it is entered, so enter it before other things that take time.
    """

    def __init__(self, log: Path) -> None:
        """
        Args:
            log: what goes wrong before an agent has a log of its own.
        """
        self._log = log
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> AgentHost:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "walrus_chain.devnet.fork_agents"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
                start_new_session=True,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            if error is not None:
                self._process.kill()
            self._process.communicate()

    def start(self, name: str, settings: Path, log: Path) -> ProcessHandle:
        """Start one agent.

        Raises: ProcessDied: the code could not even be loaded.
        """
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise ProcessDied(name, self._log)
        try:
            process.stdin.write(json.dumps({"settings": str(settings), "log": str(log)}) + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            raise ProcessDied(name, self._log) from None
        answer = process.stdout.readline()
        if not answer:
            raise ProcessDied(name, self._log)
        return ProcessHandle.of(name, json.loads(answer)["pid"])


async def wait_until_healthy(url: str, process: ProcessHandle, log: Path, seconds: float) -> None:
    """Wait until an agent says that it is well.

    Raises: ProcessDied: it ended. AgentNotReady: it takes longer than `seconds`.
    """
    import httpx

    deadline = time.monotonic() + seconds
    async with httpx.AsyncClient(timeout=2.0, trust_env=False) as http:
        while time.monotonic() < deadline:
            if not process.alive:
                raise ProcessDied(process.name, log)
            try:
                answer = await http.get(f"{url}/v1/health")
                if answer.status_code == httpx.codes.OK and answer.json()["status"] == "ok":
                    return
            except httpx.TransportError:
                pass  # not listening yet
            await asyncio.sleep(0.05)
    raise AgentNotReady(process.name, url, seconds, log)
