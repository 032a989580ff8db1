"""What leaves the lab: an HTML report with its figures, and the numbers as CSV and Parquet; of sweeps in ``sweeps``."""

from engine.report.export import export_tables
from engine.report.html import write_figures, write_report

__all__ = ["export_tables", "write_figures", "write_report"]
