"""The table of all nets: whatever needs their names or sizes takes them from here."""
