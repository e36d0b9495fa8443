"""The sections of the page, a module each: results in, tables and charts out."""
