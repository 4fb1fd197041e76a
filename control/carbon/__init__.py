"""Carbon: emission of a visit, the book of grams, offsets, the zone's inventory. Exact numbers, no I/O, no clock."""
