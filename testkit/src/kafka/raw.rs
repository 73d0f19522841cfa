//! Kafka's protocol by hand, for what no client library lets one send: metadata of any bytes.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// OffsetCommit, version 2, for a group without members. `Ok` is Kafka's error code.
pub(super) fn commit(
    bootstrap: &str,
    group: &str,
    (topic, partition): (&str, i32),
    offset: i64,
    metadata: &[u8],
) -> std::io::Result<i16> {
    let mut request = Vec::new();
    request.extend([0, 8, 0, 2]); // OffsetCommit, version 2
    request.extend(1_i32.to_be_bytes());
    string(&mut request, b"testkit");
    string(&mut request, group.as_bytes());
    request.extend((-1_i32).to_be_bytes()); // no generation
    string(&mut request, b"");
    request.extend((-1_i64).to_be_bytes()); // kept as long as the broker likes
    request.extend(1_i32.to_be_bytes());
    string(&mut request, topic.as_bytes());
    request.extend(1_i32.to_be_bytes());
    request.extend(partition.to_be_bytes());
    request.extend(offset.to_be_bytes());
    string(&mut request, metadata);

    let mut stream = TcpStream::connect(bootstrap)?;
    let length = u32::try_from(request.len()).expect("a short request");
    stream.write_all(&length.to_be_bytes())?;
    stream.write_all(&request)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut answer)?;
    // The error of the one partition comes last.
    let code = answer.last_chunk().expect("an error code");
    Ok(i16::from_be_bytes(*code))
}

fn string(request: &mut Vec<u8>, bytes: &[u8]) {
    let length = i16::try_from(bytes.len()).expect("a short string");
    request.extend(length.to_be_bytes());
    request.extend(bytes);
}
