"""One module for each command of ``replay``; each is loaded when it is asked for."""
