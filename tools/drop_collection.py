"""Drops a collection with the official client.

    drop_collection.py URI TOKEN COLLECTION            an empty TOKEN is none
"""

import sys

from pymilvus import MilvusClient


def main():
    uri, token, name = sys.argv[1:]
    MilvusClient(uri=uri, token=token).drop_collection(name)
    print(f"dropped collection {name}")


if __name__ == "__main__":
    main()
