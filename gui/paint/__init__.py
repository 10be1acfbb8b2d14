"""Pure drawing: numbers and a theme in, QPainter calls out. The same code paints screen, PNG, SVG and PDF."""
