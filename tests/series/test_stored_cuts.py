"""Cuts on disk: the same as those computed, whatever happens to the files."""

import numpy as np
import pytest

from bea.numerics.cache import cache_info, clear_cache
from bea.series import stored_cuts, tables
from bea.series.tables import TreeTables

ORDER = 9


@pytest.fixture
def computed(tmp_path, monkeypatch):
    """The cuts of some order that no file was read for; from now on the smallest are kept in files."""
    monkeypatch.setenv("BEA_CACHE_DIR", str(tmp_path / "cache"))
    cuts = [array.copy() for array in TreeTables().cuts(ORDER)]
    assert cache_info().files == 0
    monkeypatch.setattr(stored_cuts, "LEAST_STORED", 1)
    return cuts


@pytest.fixture
def stored(computed):
    """The file with the most cuts."""
    TreeTables().cuts(ORDER)
    return max(cache_info().folder.glob("*.npy"), key=lambda path: path.stat().st_size)


def refuse(*arguments):
    raise AssertionError("cuts were computed")


def assert_cuts(found, expected):
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == np.int32
        np.testing.assert_array_equal(ours, theirs)


def test_another_process_reads_what_one_has_computed(computed, stored, monkeypatch):
    monkeypatch.setattr(tables, "fill_cuts", refuse)
    found = TreeTables().cuts(ORDER)
    assert_cuts(found, computed)
    assert not found[0].flags.owndata
    clear_cache()
    with pytest.raises(AssertionError, match="cuts were computed"):
        TreeTables().cuts(ORDER)


def test_cuts_that_are_read_serve_those_of_higher_order(computed, stored):
    found = TreeTables().cuts(ORDER + 2)
    clear_cache()
    assert_cuts(found, TreeTables().cuts(ORDER + 2))


def test_colours_have_files_of_their_own(computed):
    two = [array.copy() for array in TreeTables(2).cuts(6)]
    one = [array.copy() for array in TreeTables().cuts(6)]
    assert_cuts(TreeTables(2).cuts(6), two)
    assert_cuts(TreeTables().cuts(6), one)
    assert len(two[0]) > len(one[0])


def cut_short(content):
    return content[:-100]


def one_bit_changed(content):
    return content[:-1000] + bytes([content[-1000] ^ 4]) + content[-999:]


def two_cuts_exchanged(content):
    return content[:-1000] + content[-992:-984] + content[-1000:-992] + content[-984:]


@pytest.mark.parametrize(
    "damage",
    [
        cut_short,
        one_bit_changed,
        two_cuts_exchanged,
        lambda content: b"",
        lambda content: b"no array at all",
        lambda content: content.replace(b"<u8", b"<f8"),
        lambda content: content[:6] + b"\xff" + content[7:],
    ],
)
def test_a_damaged_file_is_written_anew(computed, stored, damage):
    whole = stored.read_bytes()
    stored.write_bytes(damage(whole))
    assert stored.read_bytes() != whole
    assert_cuts(TreeTables().cuts(ORDER), computed)
    assert stored.read_bytes() == whole


def test_a_folder_that_cannot_be_written_does_no_harm(computed, tmp_path, monkeypatch, recwarn):
    occupied = tmp_path / "file"
    occupied.write_text("no folder")
    monkeypatch.setenv("BEA_CACHE_DIR", str(occupied))
    assert_cuts(TreeTables().cuts(ORDER), computed)
    assert not recwarn.list
    assert occupied.read_text() == "no folder"


def test_what_changes_the_loops_changes_the_names_of_the_files(computed, stored, monkeypatch):
    before = cache_info().files
    monkeypatch.setattr(stored_cuts, "_environment", lambda: "other loops")
    assert_cuts(TreeTables().cuts(ORDER), computed)
    assert cache_info().files == 2 * before


def test_files_are_counted_and_cleared_with_the_others(computed, stored):
    info = cache_info()
    assert info.files == ORDER - 1
    assert info.bytes > computed[0].nbytes + computed[1].nbytes
    assert clear_cache() == info
    assert not list(info.folder.iterdir())


def test_reading_leaves_the_file_as_it_is(computed, stored):
    content = stored.read_bytes()
    found = TreeTables().cuts(ORDER)
    found[0][:] = 0
    assert stored.read_bytes() == content
    assert_cuts(TreeTables().cuts(ORDER), computed)
