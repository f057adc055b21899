"""Tables of numbers over epochs, fractions and samples, a folder each: see `measuring.series`."""
