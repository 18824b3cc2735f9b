"""Publishing: the only writer of the output folder.

Owns staging, the lock, the journal, the swap, the manifest, recovery and deletion. Knows no page.
An output is wholly old or wholly new at every moment, and nothing is deleted that the manifest does not list.

    with exclusive(root) as findings:                  # locked
        output = output_at(root, out)
        findings = recover(output)                     # finish what was cut off
        stage, findings = open_stage(output, previous := load_published(output))
        digest, size = stage.write("a.html", body)     # in any worker
        findings = shrink_findings(previous.manifest, files)
        published, findings = commit(stage, files, memo=rules)     # or: discard(stage)
"""

from pybuild.publish.checks import check_out
from pybuild.publish.commit import Cleaned, Published, clean, commit
from pybuild.publish.journal import recover
from pybuild.publish.lock import exclusive
from pybuild.publish.manifest import (
    Output,
    PublishedState,
    load_manifest,
    load_published,
    output_at,
    shrink_findings,
)
from pybuild.publish.os_errors import publish_error
from pybuild.publish.stage import Stage, discard, fresh_tree, is_unfinished, open_stage

__all__ = [
    "Cleaned",
    "Output",
    "Published",
    "PublishedState",
    "Stage",
    "check_out",
    "clean",
    "commit",
    "discard",
    "exclusive",
    "fresh_tree",
    "is_unfinished",
    "load_manifest",
    "load_published",
    "open_stage",
    "output_at",
    "publish_error",
    "recover",
    "shrink_findings",
]
