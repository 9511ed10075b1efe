"""Documents made from the answers: note, report, letter, leaflets."""
