# SPDX-License-Identifier: Apache-2.0
"""Where the work is done: in this process, in processes of this machine, or on a Dask cluster."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from stn_perception.bags.errors import BagError
from stn_perception.bags.evaluation.chunk import ModelChoice
from stn_perception.bags.evaluation.early_start import start_loading
from stn_perception.bags.evaluation.shipped_files import send_models

_LEAST_MEMORY = 512 << 20  # a process takes 400 MiB for VGA frames, measured
_CONFIG = {
    "distributed.nanny.pre-spawn-environ.OMP_NUM_THREADS": 1,
    "distributed.worker.multiprocessing-method": "forkserver",
    # Nobody looks at Dask's dashboard: its watches would wake every process hundreds of times
    # a second.
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.admin.system-monitor.gil.enabled": False,
}

Task = TypeVar("Task")
Result = TypeVar("Result")


class Pending(Protocol):
    """Work that was handed out."""

    def result(self) -> Any:
        """Wait for it; what it raised is raised here."""


class Workers(Protocol):
    """Takes work; what is taken first need not be done first."""

    @property
    def count(self) -> int:
        """How many pieces are done at once."""

    def submit(self, function: Callable[[Task], Result], task: Task) -> Pending:
        """Hand out ``function(task)``."""


class _Done:
    """Work that is done when somebody wants it."""

    def __init__(self, function: Callable[[Any], Any], task: Any) -> None:
        self._call: Callable[[], Any] | None = lambda: function(task)
        self._value: Any = None

    def result(self) -> Any:
        if self._call is not None:
            self._value, self._call = self._call(), None
        return self._value


class InThisProcess:
    """No helper at all."""

    count = 1

    def submit(self, function: Callable[[Task], Result], task: Task) -> Pending:
        """Keep the work for when its result is asked for."""
        return _Done(function, task)


class OnCluster:
    """Processes that ``dask.distributed`` looks after; a lost one's work goes to another.

    Args:
        client: Of the cluster.
        count: How many pieces are done at once.
    """

    def __init__(self, client: Any, count: int) -> None:
        self._client = client
        self.count = count

    def submit(self, function: Callable[[Task], Result], task: Task) -> Pending:
        """Hand out the work."""
        future: Pending = self._client.submit(function, task, pure=False)
        return _Checked(future)


class _Checked:
    """A future whose failures are sentences."""

    def __init__(self, future: Any) -> None:
        self._future = future

    def result(self) -> Any:
        from distributed.scheduler import KilledWorker

        try:
            return self._future.result()
        except KilledWorker as error:
            raise BagError(
                "one piece of work ended several worker processes, out of memory perhaps; give "
                "them more by --memory-limit, or run with --workers 0 to see its error."
            ) from error


@contextlib.contextmanager
def workers(
    count: int,
    scheduler: str,
    memory_limit: str,
    pin: bool = False,
    models: Sequence[ModelChoice] = (),
) -> Iterator[Workers]:
    """Workers for the time of the block.

    Args:
        count: Processes on this machine, one core each; 0: this process.
        scheduler: Address of a Dask scheduler whose workers are used instead; "" for none.
        memory_limit: Of each process on this machine, such as ``2GiB``; a process that exceeds
            it is replaced and its work done again.
        pin: Keep each process on this machine to a core of its own.
        models: Archives that a cluster's machines may lack.

    Raises:
        BagError: There is no scheduler at the address, or it has no workers.
    """
    if not scheduler and count == 0:
        yield InThisProcess()
        return
    import dask
    import distributed

    # distributed is not typed.
    client_of: Any = distributed.Client
    cluster_of: Any = distributed.LocalCluster
    # Their own words about every worker that comes and goes are not for the user.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with dask.config.set(_CONFIG):
        if scheduler:
            try:
                client = client_of(scheduler, timeout="10s")
            except (OSError, ValueError, TimeoutError) as error:
                text = (str(error).splitlines() or [type(error).__name__])[0]
                raise BagError(
                    f"no Dask scheduler answers at {scheduler}, expected host:port: {text}"
                ) from error
            with client:
                send_models(client, models)
                yield OnCluster(client, _threads(client, scheduler))
            return
        _check_memory(memory_limit)
        start_loading()
        cluster = cluster_of(
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",
            memory_limit=memory_limit,
            silence_logs=logging.CRITICAL,
        )
        with cluster, client_of(cluster) as client:
            if pin:
                _pin(client)
            yield OnCluster(client, count)


def _check_memory(limit: str) -> None:
    """Processes that are too large at birth would be replaced for ever."""
    from dask.utils import parse_bytes

    try:
        given = parse_bytes(limit)
    except ValueError:
        given = 0
    if given < _LEAST_MEMORY:
        raise BagError(
            f"--memory-limit is {limit}, expected at least {_LEAST_MEMORY >> 20} MiB for each "
            "process, such as 2GiB."
        )


def _pin(client: Any) -> None:
    """One core for each worker, in turn where there are more workers."""
    cores = sorted(os.sched_getaffinity(0))
    for number, address in enumerate(sorted(client.nthreads())):
        core = cores[number % len(cores)]
        client.run(os.sched_setaffinity, 0, {core}, workers=[address])


def _threads(client: Any, scheduler: str) -> int:
    threads = client.nthreads()
    if not threads:
        raise BagError(f"the Dask scheduler at {scheduler} has no workers, start some.")
    return int(sum(threads.values()))
