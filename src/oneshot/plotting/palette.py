"""How the ten classes look: one colour and one marker each, in every picture."""

# Matthew Petroff's ten colours for accessible data visualisation ("petroff10" in matplotlib), reordered so that classes
# drawn together (0-5, 6-9, 0-4, 5-9) are distinguishable with each kind of colour blindness; markers repeat the class.
COLOURS = (
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#e76300",
    "#717581",
    "#832db6",
    "#b9ac70",
    "#a96b59",
    "#3f90da",
    "#92dadd",
)
MARKERS = ("o", "s", "^", "D", "v", "P", "o", "X", "s", "^")
