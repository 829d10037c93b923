"""Graphs and differences of graphs as pictures: lanes of text for the terminal, SVG and HTML for the browser."""
