"""What the project publishes about itself, made from the code: the protocol as AsyncAPI and as tables, the settings with their defaults."""
