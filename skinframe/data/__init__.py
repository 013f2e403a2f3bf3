"""Room 3: samples, frozen group splits, safe images, batches of named signals."""
