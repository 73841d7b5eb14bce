"""Replicas by Ray Serve. The only module that imports ray."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from engine.errors import PerpetuumError
from engine.generators.neural.kinds import DRUMS_RNN
from engine.generators.neural.settings import DrumsRnnSettings
from engine.pool.serving.file.config import PoolConfig
from engine.pool.serving.making.makers import JobOutcome, MakersAwayError
from engine.pool.serving.making.replica import Replica
from engine.pool.serving.making.twins import are_heavy
from engine.pool.wire.digests import weights_named
from engine.pool.wire.requests import write_job
from engine.runtime.workers.worker import rehearsal

log = logging.getLogger(__name__)

ONGOING = 32
"""Phrases that a replica holds at once: Ray's 5 made sixteen players wait 1.4 s where 32 made them wait 0.33 s."""

HEALTH_PERIOD, HEALTH_PATIENCE = 1.0, 20.0
"""Seconds. With Ray's ten between two checks, phrases of a replica that was killed hung as long."""

SLOW_MACHINE = {"RAY_raylet_start_wait_time_s": "180", "RAY_agent_register_timeout_ms": "180000"}
"""Ray gives its own processes 15 s to start, and aborts a busy machine that needs longer."""

OWN_CARDS = {"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
"""Before 2.60 Ray hid the cards of a machine from replicas that ask for none."""

ATTEMPTS = 3
"""Times that a phrase is given to a replica; one that dies loses what it had."""


class RayMakers:
    """Makers in processes that Ray starts, watches and replaces.

    Args:
        config: of the pool.

    Raises:
        PerpetuumError: Ray is not installed, or does not start.
    """

    def __init__(self, config: PoolConfig) -> None:
        self._config = config
        self._seed = 0
        self._plain: dict[str, str] = {}
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        for name, value in (SLOW_MACHINE | OWN_CARDS).items():
            os.environ.setdefault(name, value)
        try:
            import ray  # pyright: ignore[reportMissingImports]
            from ray import serve  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise PerpetuumError("Ray is not installed", "pip install 'ray[serve]>=2.50,<3'") from error
        self._ray: Any = ray
        self._serve: Any = serve
        # Its sockets need a short path; and it writes wherever it is not told otherwise, the home folder included.
        self._folder = Path(tempfile.mkdtemp(prefix="ray-"))
        try:
            self._prepare_token()
            self._handles = self._start()
        except Exception as error:
            self._end()  # its logs stay: they alone say why
            raise PerpetuumError(f"Ray does not start: {str(error)[:500]}", f"look into {self._folder}") from error
        except BaseException:  # Ctrl-C in the minute that it takes
            self.close()
            raise

    def __enter__(self) -> RayMakers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _prepare_token(self) -> None:
        if self._config.cluster:  # it has its own, or none
            return
        if "RAY_AUTH_TOKEN_PATH" not in os.environ and "RAY_AUTH_TOKEN" not in os.environ:
            token = self._folder / "token"
            token.touch(0o600)
            token.write_text(secrets.token_hex(32))
            os.environ["RAY_AUTH_TOKEN_PATH"] = str(token)

    def _start(self) -> dict[str, Any]:
        told: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
        if self._config.cluster:
            self._ray.init(address=self._config.cluster, **told)
        else:
            self._ray.init(
                address="local",
                include_dashboard=False,
                object_store_memory=100 << 20,
                _temp_dir=str(self._folder),
                _node_ip_address="127.0.0.1",
                **told,
            )
            self._require_gpus()
        # No server of Ray's: ours is before it, and what is no good request goes no further.
        self._serve.start(proxy_location="Disabled")
        handles: dict[str, Any] = {}
        for one in self._config.deployments:
            deployment = self._serve.deployment(Replica).options(
                name=one.name,
                num_replicas=one.replicas,
                max_ongoing_requests=ONGOING,
                health_check_period_s=HEALTH_PERIOD,
                health_check_timeout_s=HEALTH_PATIENCE,
                graceful_shutdown_timeout_s=5.0,
                ray_actor_options={"num_cpus": 0, "num_gpus": one.gpus},
            )
            bound = deployment.bind(one.models, one.memory, one.batch, one.compute, self._config.heavy, one.heavy)
            handles[one.name] = self._serve.run(bound, name=self._application(one.name), route_prefix=None)
        return handles

    def _require_gpus(self) -> None:
        """Whether Ray has the GPUs that are asked for: it would wait for them for ever, and say nothing. In a cluster
        they may come.

        Raises:
            PerpetuumError: it has not.
        """
        wanted = sum(one.gpus * one.replicas for one in self._config.deployments)
        if wanted and wanted > (there := self._ray.cluster_resources().get("GPU", 0)):
            raise PerpetuumError(f"the deployments ask for {wanted:g} GPUs in all, and Ray finds {there:g}")

    def _application(self, deployment: str) -> str:
        """What Serve calls a deployment. A cluster may have other pools; who starts again takes over its own."""
        own = f"{socket.gethostname()}-{self._config.listen[0].port}-" if self._config.cluster else ""
        return f"perpetuum-{own}{deployment}"

    def close(self) -> None:
        """End all replicas; a cluster goes on without them."""
        self._end()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end(self) -> None:
        with suppress(Exception):
            if not self._config.cluster:
                self._serve.shutdown()
            for one in self._config.deployments if self._config.cluster else ():
                with suppress(Exception):  # it may not have come to be
                    self._serve.delete(self._application(one.name))
            self._ray.shutdown()
        if os.environ.get("RAY_AUTH_TOKEN_PATH") == str(self._folder / "token"):
            del os.environ["RAY_AUTH_TOKEN_PATH"]

    # Makers

    async def make(self, kind: str, job: bytes, paths: Mapping[str, str]) -> JobOutcome:
        """Do a job; one whose replica dies is done by another."""
        heavy = are_heavy(paths.values(), self._config.heavy)
        name = self._config.deployment_of(kind, heavy).name
        return await self._have(name, partial(self._handles[name].make.remote, kind, job, dict(paths)), heavy)

    async def make_bank(self, body: bytes, checkpoints: Sequence[str]) -> JobOutcome:
        """Make a bank, in the deployment that makes what no other makes; it takes long, so that is the one for what is
        heavy, if there is such."""
        name = self._config.deployment_of("", heavy=True).name
        return await self._have(name, partial(self._handles[name].make_bank.remote, body, list(checkpoints)))

    async def _have(self, name: str, begin: Callable[..., Any], heavy: bool = False) -> JobOutcome:
        """Have something done by a deployment, as often as a replica dies of it or meanwhile.

        Where TensorFlow takes its process along when it fails, as it does when a driver does, the last one plays in
        numpy, and so do all after it.
        """
        reason = ""
        for attempt in range(ATTEMPTS):
            plain = self._plain.get(name, "") if heavy else ""
            if heavy and attempt == ATTEMPTS - 1:
                plain = plain or f"replicas died of it: {reason}"
            response = begin(plain=plain) if plain else begin()
            try:
                body, problem, batch, played_by = await response
            except asyncio.CancelledError:  # nobody waits for it any more: a replica that has not begun does not
                response.cancel()
                raise
            except Exception as error:  # of Ray: the replica died, or there is none
                reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else repr(error)
                log.warning("a replica of %s failed: %s", name, reason)
                await asyncio.sleep(0.05)
            else:
                if plain:
                    self._plain[name] = plain
                return JobOutcome(body, problem, batch, played_by)
        raise MakersAwayError(f"no replica of {name} could make it: {reason}")

    async def unwell(self) -> str:
        """Have a bar made in each deployment, the whole way."""
        self._seed += 1
        request = replace(rehearsal(DRUMS_RNN, DrumsRnnSettings(config="one_drum")), seed=self._seed)
        written = write_job(DRUMS_RNN.name, request, weights_named)
        paths = {digest: str(path) for digest, path in written.weights.items()}
        for one in self._config.deployments:
            try:
                remote = self._handles[one.name].make.remote
                outcome = await self._have(one.name, partial(remote, DRUMS_RNN.name, written.data, paths))
            except MakersAwayError as error:
                return error.message
            if outcome.problem:
                return f"{one.name}: {outcome.problem}"
        return ""
