"""Attached files into text or lines, one format a file: what `parsers.attachments` opens."""
