"""The official Python client's message classes against ours (see tests/it/wire.rs).

    wire.py samples DESCRIPTORS   compares the definitions, then writes a sample per message and oneof member, every
                                  field set: lines {"message", "bytes"}
    wire.py compare               reads lines {"message", "ours", "official" | "fields"}: what we encoded, and the bytes
                                  or the JSON that it has to equal

Faults go to standard error, one a line; the exit status is 1 when there are any.
"""

import itertools
import json
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.unknown_fields import UnknownFieldSet
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

OFFICIAL = {pb.DESCRIPTOR.name: pb.DESCRIPTOR for pb in (common_pb2, schema_pb2, milvus_pb2)}
# ScalarField holds arrays of ScalarField.
DEPTH = 4

faults = []


def our_files(path):
    with open(path, "rb") as file:
        files = descriptor_pb2.FileDescriptorSet.FromString(file.read()).file
    pool = descriptor_pool.DescriptorPool()
    for file in files:
        pool.Add(file)
    return [pool.FindFileByName(file.name) for file in files]


def official_message(name):
    package, _, simple = name.rpartition(".")
    file = next(file for file in OFFICIAL.values() if file.package == package)
    return file.message_types_by_name.get(simple)


def official_class(name):
    return message_factory.GetMessageClass(official_message(name))


def shape(field):
    """What the bytes and the name of a field depend on."""
    kind = field.message_type or field.enum_type
    oneof = field.containing_oneof
    return (field.number, field.type, field.is_repeated, kind and kind.full_name, oneof and oneof.name)


def compare_message(ours):
    official = official_message(ours.full_name)
    if official is None:
        faults.append(f"{ours.full_name} is not official")
        return
    for field in ours.fields:
        other = official.fields_by_name.get(field.name)
        # An enum of which we keep the number, since servers send values beyond it; the bytes are the same.
        bare = other and other.enum_type and field.type == field.TYPE_INT32 and field.number == other.number
        if other is None or (not bare and shape(field) != shape(other)):
            faults.append(f"{field.full_name}: ours {shape(field)}, official {other and shape(other)}")


def compare_enum(ours, official):
    for value in ours.values:
        other = official.values_by_name.get(value.name) if official else None
        if other is None or other.number != value.number:
            faults.append(f"{ours.full_name}.{value.name}: ours {value.number}, official {other and other.number}")


def compare_service(ours, official):
    for method in ours.methods:
        other = official.methods_by_name.get(method.name)
        types = [(m.input_type.full_name, m.output_type.full_name) for m in (method, other) if m]
        if len(types) != 2 or types[0] != types[1]:
            faults.append(f"rpc {method.full_name}: ours and official {types}")


def compare_definitions(files):
    for file in files:
        official = OFFICIAL[file.name]
        if file.package != official.package:
            faults.append(f"{file.name}: ours {file.package}, official {official.package}")
        for message in file.message_types_by_name.values():
            compare_message(message)
        for name, enum in file.enum_types_by_name.items():
            compare_enum(enum, official.enum_types_by_name.get(name))
        for name, service in file.services_by_name.items():
            compare_service(service, official.services_by_name[name])


numbers = itertools.count(1)


def scalar(field):
    """A value that no other field of the sample has, where the type allows it."""
    number = next(numbers)
    if field.enum_type:
        return field.enum_type.values[-1].number
    return {
        field.TYPE_BOOL: True,
        field.TYPE_STRING: f"text {number}",
        field.TYPE_BYTES: bytes([number % 256, 0, 255]),
        field.TYPE_FLOAT: number + 0.5,
        field.TYPE_DOUBLE: number + 0.25,
        # Three bytes on the wire, and more than an i32 where there is room.
        field.TYPE_INT64: -number - 2**40,
        field.TYPE_UINT64: number + 2**40,
    }.get(field.type, number + 2**15)


def fill(message, ours, members, depth):
    """Sets every field of `ours` in the official `message`; of each oneof the member that `members` names."""
    for field in ours.fields:
        oneof = field.containing_oneof
        if oneof and members.get(oneof.name, oneof.fields[0].name) != field.name:
            continue
        is_map = field.message_type and field.message_type.GetOptions().map_entry
        if is_map:
            getattr(message, field.name)[f"key {next(numbers)}"] = f"value {next(numbers)}"
        elif field.message_type:
            if depth == 0:
                continue
            for _ in range(2 if field.is_repeated else 1):
                inner = getattr(message, field.name)
                inner = inner.add() if field.is_repeated else inner
                inner.SetInParent()
                fill(inner, field.message_type, {}, depth - 1)
        elif field.is_repeated:
            getattr(message, field.name).extend([scalar(field), scalar(field)])
        else:
            setattr(message, field.name, scalar(field))


def samples(ours):
    """One that has the first member of every oneof, and one for each other member."""
    choices = [{}] + [{oneof.name: member.name} for oneof in ours.oneofs for member in oneof.fields[1:]]
    for members in choices:
        message = official_class(ours.full_name)()
        fill(message, ours, members, DEPTH)
        yield {"message": ours.full_name, "bytes": message.SerializeToString().hex()}


def write_samples(path):
    files = our_files(path)
    compare_definitions(files)
    if faults:
        return
    for file in files:
        for ours in file.message_types_by_name.values():
            for sample in samples(ours):
                print(json.dumps(sample))


def unknown(message):
    """Fields that the official class does not know, at any depth."""
    inner = []
    for field, value in message.ListFields():
        is_map = field.message_type and field.message_type.GetOptions().map_entry
        if field.message_type and not is_map:
            inner += value if field.is_repeated else [value]
    return len(UnknownFieldSet(message)) + sum(unknown(each) for each in inner)


def compare_bytes(line):
    message_class = official_class(line["message"])
    ours = message_class.FromString(bytes.fromhex(line["ours"]))
    if unknown(ours):
        faults.append(f"{line['message']}: ours has fields that are not official")
    if "fields" in line:
        expected = json_format.ParseDict(line["fields"], message_class())
    else:
        expected = message_class.FromString(bytes.fromhex(line["official"]))
    if ours != expected:
        faults.append(f"{line['message']}: ours\n{ours}\nofficial\n{expected}")


if __name__ == "__main__":
    if sys.argv[1] == "samples":
        write_samples(sys.argv[2])
    else:
        for each in sys.stdin:
            compare_bytes(json.loads(each))
    for fault in faults:
        print(fault, file=sys.stderr)
    sys.exit(1 if faults else 0)
