"""Has an alias lead to a collection, with the official client, whether it led elsewhere before or is new.

    switch_alias.py URI TOKEN ALIAS COLLECTION           an empty TOKEN is none
"""

import sys

from pymilvus import MilvusClient
from pymilvus.exceptions import MilvusException


def main():
    uri, token, alias, name = sys.argv[1:]
    client = MilvusClient(uri=uri, token=token)
    try:
        client.alter_alias(name, alias)
    except MilvusException:
        client.create_alias(name, alias)
    print(f"{alias} leads to {name}")


if __name__ == "__main__":
    main()
