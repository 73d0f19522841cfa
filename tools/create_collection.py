"""Makes the collection of the walk-through with the official client: four fields, an index on the vector, loaded.

    create_collection.py URI TOKEN COLLECTION            an empty TOKEN is none
"""

import sys

from pymilvus import DataType, MilvusClient


def main():
    uri, token, name = sys.argv[1:]
    client = MilvusClient(uri=uri, token=token)

    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("title", DataType.VARCHAR, max_length=512)
    schema.add_field("title_vector", DataType.FLOAT_VECTOR, dim=8)
    schema.add_field("link", DataType.VARCHAR, max_length=512)

    index = client.prepare_index_params()
    index.add_index("title_vector", index_type="FLAT", metric_type="L2")
    client.create_collection(name, schema=schema, index_params=index)
    print(f"created collection {name}: {client.get_load_state(name)['state'].name.lower()}")


if __name__ == "__main__":
    main()
