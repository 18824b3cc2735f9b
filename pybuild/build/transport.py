"""What travels between this machine and workers that do not see its disk.

Owns the choice of files that workers get, and the way back of what they staged. Knows no engine.
Source of truth: docs/cluster.md, "Without a shared disk".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from pybuild.cache.fingerprint import LATE, take
from pybuild.config.loader import Config
from pybuild.engines import Cluster
from pybuild.engines.bundle import pack_folder
from pybuild.objects import Objects, StoreFault
from pybuild.publish import PublishedState, Stage
from pybuild.records import File
from pybuild.render.worker import RenderProgram
from pybuild.source.secrets import leak_in_file

_READERS = 16  # requests at a time
_PRIVATE = re.compile(
    r"\.env(\..*)?|\.netrc|\.npmrc|\.pypirc|\.git-credentials|id_[a-z0-9]+|.*\.(pem|key|p12|pfx|jks|kdbx)",
    re.I,
)


def store_of(config: Config) -> str:
    """The address of the store that carries pages; "" where all is on one machine, or on a disk that all see."""
    return config.settings.store.url if config.engine == "dask" else ""


def travelling(program: RenderProgram) -> RenderProgram:
    """A program without what only this machine, or a disk that workers see, is good for."""
    if program.site.config.engine == "dask":
        program = replace(program, last=None)
    if not store_of(program.site.config):
        return program
    return replace(program, memo=None, stage=replace(program.stage, previous=PublishedState()))


def cluster_of(
    config: Config,
    stage: Stage | None,
    *,
    warn: Callable[[str, str], None],
    count: Callable[[str, float], None],
) -> Cluster:
    """The machines of an engine that has some. Secrets reach them through the connection, and none of their disks."""
    settings, url = config.settings.cluster, store_of(config)

    def in_site(file: str) -> str:
        return str(config.root / file) if file else ""

    return Cluster(
        address=config.cluster,
        workers=settings.workers,
        batch=settings.batch,
        certificates=(in_site(settings.ca), in_site(settings.cert), in_site(settings.key)),
        is_insecure=config.options.insecure_cluster,
        folder=config.state / "cluster",
        store=url,
        bundle=bundle_site(config) if url else ("", b""),
        places={"site": config.root, **({"stage": stage.tree} if stage else {})},
        private={"secrets": config.secrets},
        warn=warn,
        count=count,
    )


def bundle_site(config: Config) -> tuple[str, bytes]:
    """Pack all that a page can read of the site; return the digest and the bytes.

    Left out: the output, the state and histories, files that are named as keys are, and those that hold a secret
    of the environment. Code that needs a secret finds it there.
    """
    paths = (path for path in take(config, LATE).stamps if not _PRIVATE.fullmatch(path.rpartition("/")[2]))
    return pack_folder(
        config.root, [path for path in paths if not leak_in_file(config.root / path, config.secrets)]
    )


def fetch_bodies(url: str, stage: Stage, files: Iterable[File]) -> int:
    """Stage what workers have written to the store and the output does not have yet; return the bytes.

    Raises `StoreFault`, `OSError`.
    """
    objects = Objects(url)

    def fetch(file: File) -> int:
        if stage.holds(file.path, file.digest):
            return 0
        body = objects.get(f"_bodies/{file.digest}")
        if hashlib.sha256(body).hexdigest() != file.digest:
            raise StoreFault(f"_bodies/{file.digest} has other bytes than its name says")
        stage.write(file.path, body)
        return len(body)

    with ThreadPoolExecutor(_READERS) as pool:
        return sum(pool.map(fetch, files))
