"""Formats in which answers come and go: spreadsheets, mask folders, COCO."""
