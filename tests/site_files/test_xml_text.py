from __future__ import annotations

from xml.parsers import expat

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from pybuild.site_files.xml_text import escape, one_line, xml_text

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)


@settings(derandomize=True, max_examples=300)
@given(ANY_TEXT)
def test_escaped_text_reads_back_from_an_element_and_an_attribute(text: str) -> None:
    written = escape(text)
    document = f'<a b="{written}">{written}</a>'.encode()
    expat.ParserCreate().Parse(document, True)
    root = etree.fromstring(document)
    assert (root.get("b"), root.text or "") == (xml_text(text), xml_text(text))


def test_what_xml_cannot_carry_is_removed() -> None:
    assert xml_text("a\x00\x0b\x1f\ud800\ufffe\uffffb\t\n\r\u0085𝄞") == "ab\t\n\r\u0085𝄞"


@settings(derandomize=True, max_examples=300)
@given(ANY_TEXT)
def test_one_line_is_one_line_and_stays_what_it_is(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert line == line.strip() == one_line(line)
    line.encode()
