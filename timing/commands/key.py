"""``timing key``: the key with which a service signs the results it publishes."""

from pathlib import Path

import click


@click.group()
def command() -> None:
    """Make and show the key with which results are signed.

    The service signs each published result when its setting signing_key names the file of a private key. Whoever has the public half can
    check results, and the log they come from, with `replay verify` and `replay check`, without asking anyone.
    """


@command.command(short_help="Make a new key.")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
def new(*, file: Path) -> None:
    """Make a new private key in FILE, which only its owner may read, and print the public half.

    FILE is never written over. Keep it off the repository, off shared disks and in a backup of its own; hand out the public half.
    """
    from timing.services.keys import new_key

    _print(new_key(file).public)


@command.command(short_help="Show the public half of a key.")
@click.argument("key", metavar="FILE|PUBLIC")
@click.option("--pem", is_flag=True, help="Print the public half as a PEM file, for OpenSSL and other programs.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def show(*, key: str, pem: bool, as_json: bool) -> None:
    """Show the public half of a key, from the file of either half or in hexadecimal. The private half is never shown."""
    import msgspec

    from timing.projections.statement import key_id
    from timing.services.keys import public_of, public_pem

    if pem and as_json:
        raise click.UsageError("give --pem or --json, not both")
    public = public_of(key)
    if len(public) != 64:
        raise click.UsageError("this is a key for short; the key itself has 64 hexadecimal digits")
    if pem:
        click.echo(public_pem(public), nl=False)
    elif as_json:
        click.echo(msgspec.json.encode({"key_id": key_id(public), "key": public, "algorithm": "Ed25519"}))
    else:
        _print(public)


def _print(public: str) -> None:
    from timing.projections.statement import grouped, key_id

    click.echo(f"key         {grouped(key_id(public))}\npublic key  {public}")
