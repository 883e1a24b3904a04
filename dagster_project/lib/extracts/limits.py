"""Limits of what is read, each with its reason: they protect the machine."""

from __future__ import annotations

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

# The longest text field of the systems that are read: Salesforce's long text area.
MAX_FIELD_CHARACTERS = 131_072

# A line may hold several long fields; beyond this one line costs more than a chunk of the file.
MAX_LINE_BYTES = 2 * MIB

# A line that could hold a field over the limit takes the careful path, which looks at each field.
MAX_FAST_LINE_BYTES = MAX_FIELD_CHARACTERS

# Salesforce allows 900 custom fields on one object; a header with more is not an extract.
MAX_COLUMNS = 2_000

# 100 million invoice lines are about 8 GB of CSV; eight times that is no extract of one company.
MAX_DECOMPRESSED_BYTES = 64 * GIB

# Real CSV compresses 3 to 30 times, a bomb 1,000 times (gzip's own bound is 1,032).
MAX_COMPRESSION_RATIO = 200

# A small file of equal lines can pass the ratio honestly and does no harm.
RATIO_APPLIES_FROM_BYTES = 64 * MIB

# An export has a handful of members; a thousand names cost a thousand landings.
MAX_ARCHIVE_MEMBERS = 1_000

# Excel's own bound is 17 billion cells; pandas holds each as an object: ten million are 1.5 GB.
MAX_SHEET_CELLS = 10_000_000

# Ten million cells are about 500 MB of XML; its texts stand in memory as a whole.
MAX_WORKBOOK_BYTES = 1 * GIB

# What is kept of a rejected line or value: enough to find it, not enough to fill a disk.
MAX_RAW_TEXT_CHARACTERS = 4_096

# Files are read in pieces of this size.
CHUNK_BYTES = 4 * MIB
