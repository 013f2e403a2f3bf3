"""The report room: one typed report.json and the page, table and text made from it. It computes no metric."""
