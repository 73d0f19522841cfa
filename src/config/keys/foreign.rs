//! Keys that are not ours and that people bring along: Kafka Connect's, and other sinks'.

/// What is to be done about a key that is not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::config) enum Foreign {
    /// Kafka Connect's; means nothing here, and ignoring it changes nothing.
    Connect,
    /// Another name for something of ours, said in words.
    Ours(&'static str),
    /// Ignoring it would change data, delivery or security. What to do instead.
    Refused(&'static str),
    /// Kafka Connect's, and only this value of it means nothing here.
    Only(&'static str),
}

use Foreign::{Connect, Only, Ours, Refused};

/// The verdict on a key, if it is known. A row that ends in `.*` stands for all keys that begin so.
pub(in crate::config) fn find(name: &str) -> Option<Foreign> {
    FOREIGN.iter().find_map(|&(row, verdict)| {
        let matches = match row.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => name == row,
        };
        matches.then_some(verdict)
    })
}

const TRANSFORMS: Foreign = Refused(
    "transforms and predicates are not built in, and without them the data would be another; remove it, and transform before Kafka or in another consumer",
);
const ENDPOINT: Foreign = Ours("public.endpoint");
const TOKEN: Foreign = Ours("token");
const BATCH_ROWS: Foreign = Ours("batch.max.rows");
const COLLECTION: Foreign = Ours("collection.name");
const BACKOFF: Foreign =
    Ours("milvus.retry.backoff.ms and milvus.retry.backoff.max.ms; attempts are not limited");
const DELETE: Foreign = Ours("behavior.on.null.values");

#[rustfmt::skip] // one row a line
const FOREIGN: &[(&str, Foreign)] = &[
    ("transforms", TRANSFORMS), ("transforms.*", TRANSFORMS),
    ("predicates", TRANSFORMS), ("predicates.*", TRANSFORMS),

    // Kafka Connect, worker.
    ("plugin.path", Connect), ("plugin.discovery", Connect),
    ("offset.storage.*", Connect), ("config.storage.*", Connect), ("status.storage.*", Connect),
    ("offset.flush.timeout.ms", Connect),
    ("listeners", Connect), ("listeners.*", Connect), ("admin.listeners", Connect), ("admin.listeners.*", Connect),
    ("rest.*", Connect), ("access.control.*", Connect), ("response.http.headers.config", Connect),
    ("metric.reporters", Connect), ("metrics.*", Connect), ("auto.include.jmx.reporter", Connect),
    ("topic.tracking.*", Connect), ("topic.creation.*", Connect), ("exactly.once.*", Connect),
    ("internal.*", Connect), ("config.providers", Connect), ("config.providers.*", Connect),
    ("connect.protocol", Connect), ("inter.worker.*", Connect), ("worker.*", Connect),
    ("scheduled.rebalance.max.delay.ms", Connect), ("client.dns.lookup", Connect), ("client.id", Connect),
    ("connector.client.config.override.policy", Only("All")), ("connector.client.config.override.allowlist", Connect),
    // Kafka Connect, connector.
    ("header.converter", Connect), ("header.converter.*", Connect),
    ("key.converter.*", Connect),
    ("value.converter.schema.*", Connect), ("value.converter.schemas.cache.size", Connect), ("value.converter.decimal.format", Connect),
    ("value.converter.replace.null.with.default", Connect), ("value.converter.plugin.version", Connect),
    ("connector.plugin.version", Connect), ("tasks.max.enforce", Connect), ("config.action.reload", Connect),
    ("errors.retry.timeout", Connect), ("errors.retry.delay.max.ms", Connect),
    ("errors.log.enable", Connect), ("errors.log.include.messages", Connect),
    ("task.shutdown.graceful.timeout.ms", Ours("shutdown.timeout.ms")),
    ("group.id", Ours("consumer.group.id")),

    // Other sinks.
    ("topic", Ours("topics")), ("kafka.topic", Ours("topics")), ("kafka.topics", Ours("topics")),
    ("kafka.bootstrap.servers", Ours("bootstrap.servers")), ("brokers", Ours("bootstrap.servers")),
    ("connection.url", ENDPOINT), ("connection.uri", ENDPOINT), ("connection.host", ENDPOINT),
    ("endpoint", ENDPOINT), ("url", ENDPOINT), ("uri", ENDPOINT), ("host", ENDPOINT), ("hosts", ENDPOINT),
    ("milvus.uri", ENDPOINT), ("milvus.url", ENDPOINT), ("milvus.host", ENDPOINT), ("milvus.endpoint", ENDPOINT),
    ("milvus.address", ENDPOINT), ("milvus.port", ENDPOINT),
    ("connection.user", TOKEN), ("connection.username", TOKEN), ("connection.password", TOKEN),
    ("username", TOKEN), ("password", TOKEN), ("api.key", TOKEN),
    ("milvus.token", TOKEN), ("milvus.username", TOKEN), ("milvus.password", TOKEN),
    ("database", Ours("database.name")), ("db.name", Ours("database.name")), ("milvus.database", Ours("database.name")),
    ("table.name.format", COLLECTION), ("collection.name.format", COLLECTION), ("collection", COLLECTION),
    ("index.name.format", COLLECTION), ("milvus.collection", COLLECTION), ("index", COLLECTION),
    ("topic.index.map", Ours("topic2collection.map")), ("topic2table.map", Ours("topic2collection.map")),
    ("batch.size", BATCH_ROWS), ("max.batch.size", BATCH_ROWS), ("batch.size.max", BATCH_ROWS),
    ("bulk.size.bytes", Ours("batch.max.bytes")), ("batch.bytes", Ours("batch.max.bytes")),
    ("max.buffered.records", Ours("buffer.max.bytes")), ("buffer.count.records", Ours("batch.max.rows")),
    ("buffer.size.bytes", Ours("buffer.max.bytes")), ("buffer.flush.time", Ours("linger.ms")),
    ("max.in.flight", Ours("max.in.flight.requests")),
    ("max.retries", BACKOFF), ("retry.backoff.ms", BACKOFF), ("retry.max", BACKOFF), ("errors.max.retries", BACKOFF),
    ("retries", BACKOFF), ("max.retry.wait.ms", BACKOFF),
    ("connection.timeout.ms", Ours("milvus.request.timeout.ms")), ("read.timeout.ms", Ours("milvus.request.timeout.ms")),
    ("flush.timeout.ms", Ours("milvus.request.timeout.ms")),
    ("delete.enabled", DELETE), ("delete.on.null.values", DELETE), ("behavior.on.null", DELETE),
    ("behavior.on.malformed.documents", Ours("errors.tolerance")), ("drop.invalid.message", Ours("errors.tolerance")),
    ("write.method", Ours("insert.mode")), ("write.mode", Ours("insert.mode")),
    ("pk.fields", Ours("pk.mode; the primary key is the collection's own")), ("key.ignore", Ours("pk.mode")),
    ("fields.whitelist", Ours("field.map")), ("fields.include", Ours("field.map")),
    ("auto.create", Ours("collection.name; the collection must exist, none is created")),
    ("auto.evolve", Ours("behavior.on.unknown.fields; a collection is never changed")),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys;

    #[test]
    fn keys_of_others_are_recognised() {
        let check = |name, expected| assert_eq!(find(name), expected, "{name}");
        check("plugin.path", Some(Connect));
        check("offset.storage.file.filename", Some(Connect));
        check("batch.size", Some(BATCH_ROWS));
        check("transforms.a.type", Some(TRANSFORMS));
        check("transformsx", None);
        check("name", None);
    }

    #[test]
    fn a_key_of_ours_is_never_foreign_and_every_advice_names_one() {
        for key in keys::KEYS {
            let known_by_connect_too = matches!(find(key.name), Some(Connect));
            assert!(
                find(key.name).is_none() || known_by_connect_too,
                "{}",
                key.name
            );
        }
        for (name, verdict) in FOREIGN {
            if let Ours(advice) = verdict {
                let ours = advice.split([';', ' ']).next().unwrap();
                let known = keys::find(ours).is_some() || ours.starts_with("consumer.");
                assert!(known, "{name} → {advice}");
            }
        }
    }
}
