"""The commands of ``timing``, one module each, imported only when asked for."""
