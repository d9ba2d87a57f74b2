"""Reports: the page needs nothing else, says what was measured, and is written whole or not at all."""

import json
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from stub_theorems import STUBS

import bea
from bea.reports import Section, results, write_report
from bea.reports.mathematics import render
from bea.theorems import THEOREMS, get_theorem

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """The elements and the text of a page, with its nesting checked."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.words = [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(autouse=True)
def _stub_theorems(monkeypatch):
    for name, place in STUBS.items():
        monkeypatch.setitem(THEOREMS, name, place)


@pytest.fixture
def verdicts():
    return [bea.verify("holding", rng=3), bea.verify("failing")]


@pytest.fixture
def page(verdicts, tmp_path):
    return Page(write_report(verdicts, tmp_path).read_text(encoding="utf-8"))


def test_the_page_needs_no_other_file_and_no_network(page):
    addresses = [a[key] for _, a in page.elements for key in ("src", "href") if key in a]
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.elements}


def test_the_page_tells_every_claim(page):
    for words in ("the slope", "2.00", "[1.90, 2.10]", "ten step sizes,", "control", "the wrong sign", "nan"):
        assert words in page.text
    assert "1 of 2 theorems hold, 3 of 4 claims" in page.text
    assert "✓ holds" in page.text
    assert "✗ fails" in page.text


def test_the_page_tells_how_to_repeat_it(verdicts, tmp_path):
    page = Page(write_report(verdicts[:1], tmp_path).read_text(encoding="utf-8"))
    assert "To repeat: bea verify holding --seed 3" in page.text
    assert f"bea {bea.__version__}" in page.text
    assert "Seed 3" in page.text


def test_text_is_escaped(page):
    assert "On <sums>, Journal of Sums" in page.text
    assert "must <fail>" in page.text
    assert "Squares & sums" in page.text
    assert not {"sums", "fail"} & {tag for tag, _ in page.elements}


def test_pictures_have_words_beside_them(page):
    assert page.all("img")
    assert all(image["alt"] for image in page.all("img"))
    assert page.all("html") == [{"lang": "en"}]
    assert all("scope" in header for header in page.all("th"))


def test_an_interrupted_check_is_reported_without_a_figure(tmp_path):
    verdict = bea.verify("stopped")
    text = write_report([verdict], tmp_path).read_text(encoding="utf-8")
    assert "interrupted" in Page(text).text
    assert "measured before" in Page(text).text
    assert "<figure" not in text


def test_results_are_plain_json(verdicts):
    document = results([Section.from_verdict(v) for v in verdicts])
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["passed"] is False
    assert [t["name"] for t in document["theorems"]] == ["holding", "failing"]
    assert document["theorems"][0]["claims"][0]["interval"] == [1.9, 2.1]
    assert document["theorems"][1]["claims"][0]["measured"] == "nan"


def test_nothing_measured_is_no_success():
    assert results([])["passed"] is False


def test_a_report_replaces_an_earlier_one_and_leaves_no_drafts(verdicts, tmp_path):
    folder = tmp_path / "new" / "folder"
    write_report(verdicts[:1], folder)
    write_report(verdicts, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["index.html", "results.json"]
    assert "What is not so" in (folder / "index.html").read_text(encoding="utf-8")


def test_a_file_that_cannot_be_written_whole_is_left_as_it_was(verdicts, tmp_path, monkeypatch):
    page = write_report(verdicts[:1], tmp_path)
    before = page.read_bytes()

    def full_disk(*arguments):
        raise OSError("no space left on device")

    monkeypatch.setattr("os.replace", full_disk)
    with pytest.raises(OSError, match="no space"):
        write_report(verdicts, tmp_path)
    assert page.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.html", "results.json"]


def test_the_same_check_draws_the_same_figure(verdicts):
    first, second = (Section.from_verdict(bea.verify("holding")).figure for _ in range(2))
    assert first == second
    assert ElementTree.fromstring(first).tag.endswith("svg")


def test_formulas_become_pictures_that_sit_on_the_line():
    image = Page(render(r"so $\frac{h}{4}\|\nabla E\|^2$ it is")).all("img")[0]
    assert image["alt"] == r"\frac{h}{4}\|\nabla E\|^2"
    assert image["src"].startswith("data:image/svg+xml;base64,")
    style = dict(rule.split(":") for rule in image["style"].split(";"))
    height, shift = (float(style[name].removesuffix("em")) for name in ("height", "vertical-align"))
    assert -height < shift < 0


def test_latex_that_cannot_be_set_is_shown_as_it_is():
    assert render(r"$\nosuchcommand{x}$") == r"<code>\nosuchcommand{x}</code>"


@pytest.mark.parametrize("name", [name for name in THEOREMS if name not in STUBS])
def test_the_formulas_of_every_theorem_can_be_set(name):
    theorem = get_theorem(name)
    assert "<code>" not in render(theorem.statement + theorem.title + " ".join(theorem.references))
    assert theorem.statement.count("$") % 2 == 0
