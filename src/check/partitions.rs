//! What `check` says of the Milvus partitions that `partition.name` names.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::Verdict;
use super::topics::Route;
use crate::cause::Cause;
use crate::milvus::client::Client;
use crate::routing::Destination;

pub(super) async fn partitions(
    milvus: &Client,
    routes: &[Route],
    out: &mut impl Write,
) -> io::Result<Verdict> {
    let mut verdict = Verdict::Clean;
    let destinations: BTreeSet<&Destination> = routes.iter().map(|(_, to)| to).collect();
    for destination in destinations {
        let Some(name) = &destination.milvus_partition else {
            continue;
        };
        match milvus.has_partition(&destination.collection, name).await {
            Ok(true) => writeln!(out, "  ✓ {destination}")?,
            Ok(false) => {
                let cause = Cause::PartitionMissing {
                    collection: destination.collection.to_string(),
                    partition: name.to_string(),
                };
                writeln!(out, "  ✗ {cause}")?;
                verdict = Verdict::WouldFail;
            }
            // Not asked for when it runs: a user who may not ask may still write.
            Err(error) => writeln!(out, "  … {destination} was not looked at: {}", error.cause)?,
        }
    }
    Ok(verdict)
}
