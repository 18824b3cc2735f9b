"""`/data/[station].json`: the harmonic constants of one station, free to use."""

from dataclasses import asdict

from lib.stations import STATIONS, find_station
from lib.tides import EPOCH

from pybuild import Context, JSONResponse, Request, not_found

dynamic = "force-static"
inputs = ["data/**", "lib/**"]
revalidate = False


async def generate_static_params() -> list[dict[str, str]]:
    return [{"station": station.id} for station in STATIONS]


def GET(request: Request, ctx: Context) -> JSONResponse:
    station = find_station(ctx.params["station"])
    if station is None:
        not_found()
    body = asdict(station) | {
        "since": station.since.isoformat(),
        "epoch": EPOCH.isoformat(),
        "licence": "CC0-1.0",
    }
    return JSONResponse(body)
