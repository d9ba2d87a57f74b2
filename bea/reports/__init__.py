"""Reports of verified theorems: one self-contained page, and the same results as JSON."""

from bea.reports.section import Section, results
from bea.reports.writing import write_report

__all__ = ["Section", "results", "write_report"]
