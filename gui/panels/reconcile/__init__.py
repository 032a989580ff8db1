"""The panel of reconciliation and its pages."""
