from typing import TYPE_CHECKING

dynamic = "force-static"

if TYPE_CHECKING:
    from lib.methods import GET
