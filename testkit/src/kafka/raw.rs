//! Kafka's protocol by hand, for what no client library lets one send: metadata of any bytes, and access rules.

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
    let mut request = begin(8, 2); // OffsetCommit
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
    let answer = ask(bootstrap, &request)?;
    // The error of the one partition comes last.
    let code = answer.last_chunk().expect("an error code");
    Ok(i16::from_be_bytes(*code))
}

/// What a rule of access says of an operation.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    DenyWrite,
    AllowAll,
}

/// CreateAcls, version 1, for a topic by its name. `Ok` is Kafka's error code.
pub(super) fn rule(bootstrap: &str, topic: &str, user: &str, rule: Rule) -> std::io::Result<i16> {
    let mut request = begin(30, 1); // CreateAcls
    request.extend(1_i32.to_be_bytes());
    request.push(2); // a topic
    string(&mut request, topic.as_bytes());
    request.push(3); // by its whole name
    string(&mut request, format!("User:{user}").as_bytes());
    string(&mut request, b"*"); // from any host
    request.extend(match rule {
        Rule::DenyWrite => [4, 2],
        Rule::AllowAll => [2, 3],
    });
    let answer = ask(bootstrap, &request)?;
    // Behind the correlation, the throttle time and the count of results.
    let code = [answer[12], answer[13]];
    Ok(i16::from_be_bytes(code))
}

fn begin(api: i16, version: i16) -> Vec<u8> {
    let mut request = Vec::new();
    request.extend(api.to_be_bytes());
    request.extend(version.to_be_bytes());
    request.extend(1_i32.to_be_bytes());
    string(&mut request, b"testkit");
    request
}

fn ask(bootstrap: &str, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(bootstrap)?;
    let length = u32::try_from(request.len()).expect("a short request");
    stream.write_all(&length.to_be_bytes())?;
    stream.write_all(request)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

fn string(request: &mut Vec<u8>, bytes: &[u8]) {
    let length = i16::try_from(bytes.len()).expect("a short string");
    request.extend(length.to_be_bytes());
    request.extend(bytes);
}
