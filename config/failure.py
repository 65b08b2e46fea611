"""The one way a start may fail: a sentence for the person at the keyboard."""


class StartError(Exception):
    """Something outside the code stops the start.

    The message is one or two sentences: what is wrong, and what to do about it. `config.run` prints it
    without a traceback and exits with code 1.
    """
