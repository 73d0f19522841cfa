"""Reads a collection back with the official client and prints what it holds, as JSON with its names in order.

    read_back.py URI TOKEN COLLECTION get ID            one entity, all fields
    read_back.py URI TOKEN COLLECTION count             how many entities
    read_back.py URI TOKEN COLLECTION search FIELD JSON the nearest entity to a vector: id, distance, fields

An empty TOKEN is none. Beside every float vector FIELD stands FIELD_bits: its float32 values as they are, in hex.
"""

import json
import struct
import sys

from pymilvus import MilvusClient


def bits(vector):
    return struct.pack(f">{len(vector)}f", *vector).hex(" ", 4)


def printable(entity):
    fields = {}
    for name, value in entity.items():
        if isinstance(value, list) and value and not isinstance(value[0], (str, dict)):
            value = [float(element) for element in value]
            fields[f"{name}_bits"] = bits(value)
        fields[name] = value
    return fields


def get(client, collection, key):
    description = client.describe_collection(collection)
    primary = next(f for f in description["fields"] if f.get("is_primary"))
    key = json.dumps(key) if primary["type"].name == "VARCHAR" else int(key)
    found = client.query(collection, filter=f"{primary['name']} == {key}",
                         output_fields=["*"], consistency_level="Strong")
    if len(found) != 1:
        sys.exit(f"{collection} has {len(found)} entities with {primary['name']} == {key}")
    return printable(found[0])


def count(client, collection):
    found = client.query(collection, filter="", output_fields=["count(*)"], consistency_level="Strong")
    return found[0]["count(*)"]


def search(client, collection, field, vector):
    hits = client.search(collection, data=[json.loads(vector)], anns_field=field, limit=1,
                         output_fields=["*"], consistency_level="Strong")
    hit = hits[0][0]
    return {"id": hit["id"], "distance": hit["distance"], "entity": printable(hit["entity"])}


def main():
    uri, token, collection, command, *arguments = sys.argv[1:]
    client = MilvusClient(uri=uri, token=token)
    answer = {"get": get, "count": count, "search": search}[command](client, collection, *arguments)
    print(json.dumps(answer, ensure_ascii=False, sort_keys=True))


if __name__ == "__main__":
    main()
