"""The sections of the page, one module each: results in, tables and charts out."""
