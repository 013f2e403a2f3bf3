"""Room 5 and 6: the module that maps batch signals to model signals, and the objective over them."""
