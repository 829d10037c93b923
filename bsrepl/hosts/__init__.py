"""Other places than a terminal of its own where the shell lives: at a line of a program, in IPython, in a notebook."""
