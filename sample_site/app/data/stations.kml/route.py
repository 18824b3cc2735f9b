"""`/data/stations.kml`: all stations for map programs (OGC KML 2.2)."""

from xml.etree import ElementTree as ET

from lib.stations import STATIONS

from pybuild import XMLResponse

dynamic = "force-static"


def GET() -> XMLResponse:
    kml = ET.Element("kml", xmlns="http://www.opengis.net/kml/2.2")
    document = ET.SubElement(kml, "Document")
    ET.SubElement(document, "name").text = "Tidewater stations"
    for station in STATIONS:
        mark = ET.SubElement(document, "Placemark", id=station.id)
        ET.SubElement(mark, "name").text = station.name
        ET.SubElement(mark, "description").text = station.about["en"]
        point = ET.SubElement(mark, "Point")
        ET.SubElement(point, "coordinates").text = f"{station.longitude},{station.latitude}"
    ET.indent(kml)
    body = ET.tostring(kml, encoding="utf-8", xml_declaration=True)
    return XMLResponse(body, media_type="application/vnd.google-earth.kml+xml")
